import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { queryKeys } from '../../api/query-keys.ts';
import { restartList, uniqueRows } from '../../lists/list-pages.ts';
import { useLiveEvents } from '../../live/event-bus.ts';
import type { RepositoryFilter } from './repository-data.ts';
import { fetchRepository, patchRepository, repositoriesQuery } from './repository-data.ts';

const REFETCH_INTERVAL_MS = 1_000;
/** Rows read anew at once: a fleet that is scanned changes more than that a second, and waits its turn. */
const MAX_REFETCHES_PER_TICK = 10;

/** The list of a filter; what changes is read anew row by row, what is added is counted and waits to be shown. */
export function useRepositoryList(filter: RepositoryFilter) {
  const client = useQueryClient();
  const list = useInfiniteQuery(repositoriesQuery(filter));
  const rows = useMemo(() => uniqueRows(list.data), [list.data]);
  const [added, setAdded] = useState(0);
  const text = JSON.stringify(filter);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter begins anew
  useEffect(() => setAdded(0), [text]);
  const showNew = useCallback(async () => {
    setAdded(0);
    await restartList(client, queryKeys.repositoryList(JSON.parse(text) as RepositoryFilter));
  }, [client, text]);
  const isEmpty = list.isSuccess && rows.length === 0;
  useEffect(() => {
    if (isEmpty && added > 0) void showNew();
  }, [isEmpty, added, showNew]);
  const known = useMemo(() => new Set(rows.map(({ id }) => id)), [rows]);
  const change = useRowRefetch();
  useLiveEvents(({ kind, repositoryId, integrationId }) => {
    if (repositoryId === null) return;
    if (known.has(repositoryId)) return change(repositoryId);
    const concerns = filter.integrationId === undefined || filter.integrationId === integrationId;
    if (kind === 'repository.added' && concerns) setAdded((count) => count + 1);
  });
  return { list, rows, added, showNew };
}

function useRowRefetch(): (id: string) => void {
  const client = useQueryClient();
  const waiting = useRef(new Set<string>());
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.hidden) return;
      for (const id of [...waiting.current].slice(0, MAX_REFETCHES_PER_TICK)) {
        waiting.current.delete(id);
        // one that is gone meanwhile stays as it was shown; its page says so
        fetchRepository(id).then(
          (repository) => patchRepository(client, repository),
          () => undefined,
        );
      }
    }, REFETCH_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [client]);
  return useCallback((id: string) => void waiting.current.add(id), []);
}
