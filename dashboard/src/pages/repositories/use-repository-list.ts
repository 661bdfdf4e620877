import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { queryKeys } from '../../api/query-keys.ts';
import { restartList, uniqueRows } from '../../lists/list-pages.ts';
import { useLiveEvents } from '../../live/event-bus.ts';
import type { RepositoryFilter } from './repository-data.ts';
import { fetchRepository, patchRepository, repositoriesQuery } from './repository-data.ts';

const REFETCH_INTERVAL_MS = 1_000;
/** Limits requests while a large fleet is scanned; the other rows wait for the next tick. */
const MAX_REFETCHES_PER_TICK = 10;

/** The list for a filter. Changed rows are refetched in place; new rows are counted and shown on request. */
export function useRepositoryList(filter: RepositoryFilter) {
  const client = useQueryClient();
  const list = useInfiniteQuery(repositoriesQuery(filter));
  const rows = useMemo(() => uniqueRows(list.data), [list.data]);
  const [added, setAdded] = useState(0);
  const text = JSON.stringify(filter);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new filter resets the count
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
  const refetchRow = useRowRefetch();
  useLiveEvents(({ kind, repositoryId, integrationId }) => {
    if (repositoryId === null) return;
    if (known.has(repositoryId)) return refetchRow(repositoryId);
    const matchesIntegration = filter.integrationId === undefined || filter.integrationId === integrationId;
    if (kind === 'repository.added' && matchesIntegration) setAdded((count) => count + 1);
  });
  return { list, rows, added, showNew };
}

function useRowRefetch(): (id: string) => void {
  const client = useQueryClient();
  const pending = useRef(new Set<string>());
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.hidden) return;
      for (const id of [...pending.current].slice(0, MAX_REFETCHES_PER_TICK)) {
        pending.current.delete(id);
        // a repository that was removed in the meantime stays in the list until the next reload
        fetchRepository(id).then(
          (repository) => patchRepository(client, repository),
          () => undefined,
        );
      }
    }, REFETCH_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [client]);
  return useCallback((id: string) => void pending.current.add(id), []);
}
