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

/** The stream may begin a little before the list was asked for: what is older than that is in the list. */
const STREAM_MARGIN_MS = 5_000;

/** The list of a filter, kept true without moving a row: what is known is changed in place, what is new is counted. */
export function useFindingList(query: FindingQuery) {
  const client = useQueryClient();
  const list = useInfiniteQuery(findingsQuery(query));
  const rows = useMemo(() => uniqueRows(list.data), [list.data]);
  const [since, setSince] = useState<NewFindings>(NO_NEW_FINDINGS);
  const askedAtMs = useRef(serverClock.now());
  const text = JSON.stringify(query);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter begins anew
  useEffect(() => {
    setSince(NO_NEW_FINDINGS);
    askedAtMs.current = serverClock.now();
  }, [text]);
  const showNew = useCallback(async () => {
    setSince(NO_NEW_FINDINGS);
    askedAtMs.current = serverClock.now();
    await restartList(client, queryKeys.findings(JSON.parse(text) as FindingQuery));
  }, [client, text]);
  const news = totalNew(since);
  const isEmpty = list.isSuccess && rows.length === 0;
  useEffect(() => {
    if (isEmpty && news > 0) void showNew();
  }, [isEmpty, news, showNew]);
  useLiveEvents((event) => {
    patchFindings(client, patchesForEvent(event));
    if (Date.parse(event.at) < askedAtMs.current - STREAM_MARGIN_MS) return;
    setSince((before) => countEvent(before, event, query));
  });
  return { list, rows, news, showNew };
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
    // our own triage is there already, with its comment
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
