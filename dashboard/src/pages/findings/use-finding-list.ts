import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { queryKeys } from '../../api/query-keys.ts';
import { serverClock } from '../../api/server-clock.ts';
import { restartList, uniqueRows } from '../../lists/list-pages.ts';
import { useLiveEvents } from '../../live/event-bus.ts';
import type { LiveEvent } from '../../live/event-stream.ts';
import type { FindingQuery } from './filters.ts';
import type { Finding } from './finding-data.ts';
import { findingsQuery, patchFindings } from './finding-data.ts';
import type { NewFindings } from './new-findings.ts';
import { countEvent, NO_NEW_FINDINGS, totalNew } from './new-findings.ts';

/** Events may be slightly older than the request for the list; older ones are already in the list. */
const STREAM_MARGIN_MS = 5_000;

/** The list for a filter. Known findings are updated in place; new ones are counted and shown on request. */
export function useFindingList(query: FindingQuery) {
  const client = useQueryClient();
  const list = useInfiniteQuery(findingsQuery(query));
  const rows = useMemo(() => uniqueRows(list.data), [list.data]);
  const [newFindings, setNewFindings] = useState<NewFindings>(NO_NEW_FINDINGS);
  const requestedAtMs = useRef(serverClock.now());
  const text = JSON.stringify(query);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new filter resets the count
  useEffect(() => {
    setNewFindings(NO_NEW_FINDINGS);
    requestedAtMs.current = serverClock.now();
  }, [text]);
  const showNew = useCallback(async () => {
    setNewFindings(NO_NEW_FINDINGS);
    requestedAtMs.current = serverClock.now();
    await restartList(client, queryKeys.findings(JSON.parse(text) as FindingQuery));
  }, [client, text]);
  const newCount = totalNew(newFindings);
  const isEmpty = list.isSuccess && rows.length === 0;
  useEffect(() => {
    if (isEmpty && newCount > 0) void showNew();
  }, [isEmpty, newCount, showNew]);
  useLiveEvents((event) => {
    patchFindings(client, patchesForEvent(event));
    if (Date.parse(event.at) < requestedAtMs.current - STREAM_MARGIN_MS) return;
    setNewFindings((counts) => countEvent(counts, event, query));
  });
  return { list, rows, newCount, showNew };
}

function patchesForEvent({ kind, data, at }: LiveEvent): Map<string, (finding: Finding) => Finding> {
  const ids = Array.isArray(data['findingIds']) ? data['findingIds'] : [data['findingId']];
  const known = ids.filter((id): id is string => typeof id === 'string');
  const patch = patchForEvent(kind, data, at);
  return new Map(patch === null ? [] : known.map((id) => [id, patch]));
}

function patchForEvent(
  kind: string,
  { status, reason }: Record<string, unknown>,
  at: string,
): ((finding: Finding) => Finding) | null {
  if (kind === 'finding.fixed') return (finding) => ({ ...finding, status: 'fixed' });
  if (kind === 'finding.reopened') return (finding) => ({ ...finding, status: 'open', triage: null });
  if (kind !== 'finding.triaged') return null;
  if (status === 'open') return (finding) => ({ ...finding, status, triage: null });
  return (finding) => {
    // the optimistic update of this page is already there, with its comment
    if (finding.status === 'ignored' && finding.triage?.reason === reason) return finding;
    const triage = {
      reason: reason as NonNullable<Finding['triage']>['reason'],
      comment: null,
      by: '',
      at,
      until: null,
    };
    return { ...finding, status: 'ignored', triage };
  };
}
