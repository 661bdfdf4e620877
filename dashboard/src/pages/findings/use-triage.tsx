import { Anchor } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { api, request } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { serverClock } from '../../api/server-clock.ts';
import { useMe } from '../../api/session.ts';
import { formatCount } from '../../format/labels.ts';
import { showErrorToast, showToast } from '../../parts/toast.ts';
import type { FindingQuery } from './filters.ts';
import type { Finding } from './finding-data.ts';
import { patchFindings } from './finding-data.ts';
import type { Reason } from './finding-labels.ts';

/** `null` reopens the finding. */
export type Verdict = { reason: Reason; comment?: string; until?: string } | null;

const triageBody = (verdict: Verdict) =>
  verdict === null ? { status: 'open' as const } : { status: 'ignored' as const, triage: verdict };

const currentVerdict = ({ triage }: Finding): Verdict =>
  triage === null
    ? null
    : {
        reason: triage.reason,
        ...(triage.comment === null ? {} : { comment: triage.comment }),
        ...(triage.until === null ? {} : { until: triage.until }),
      };

/** Only open and ignored findings can be triaged; scans decide about the others. */
export function isTriagable({ status }: Pick<Finding, 'status'>): boolean {
  return status === 'open' || status === 'ignored';
}

/** Status and triage that the server is expected to return. */
function expectedState(verdict: Verdict, username: string): Pick<Finding, 'status' | 'triage'> {
  if (verdict === null) return { status: 'open', triage: null };
  const { reason, comment = null, until = null } = verdict;
  const at = new Date(serverClock.now()).toISOString();
  return { status: 'ignored', triage: { reason, comment, by: `user:${username}`, at, until } };
}

async function sendVerdict(findings: readonly Finding[], verdict: Verdict): Promise<void> {
  const ids = findings.map((finding) => finding.id);
  const [id] = ids;
  if (ids.length === 1 && id !== undefined)
    await request(api.findings[':id'].$patch({ param: { id }, json: triageBody(verdict) }));
  else await request(api.findings.triage.$post({ json: { ids, ...triageBody(verdict) } }));
}

/**
 * Triages findings with an optimistic update and an Undo. Triaged rows stay in the list until the filter is applied
 * again. If the server refuses, the previous state is restored.
 */
export function useTriage() {
  const client = useQueryClient();
  const { name } = useMe();
  const showVerdict = useCallback(
    (findings: readonly Finding[], verdict: Verdict) => {
      const patch = (finding: Finding): Finding => ({ ...finding, ...expectedState(verdict, name) });
      patchFindings(client, new Map(findings.map(({ id }) => [id, patch])));
    },
    [client, name],
  );
  const restore = useCallback(
    (findings: readonly Finding[]) =>
      patchFindings(client, new Map(findings.map((finding) => [finding.id, () => finding]))),
    [client],
  );
  const undo = useCallback(
    async (findings: readonly Finding[]) => {
      restore(findings);
      const groups = Map.groupBy(findings, (finding) => JSON.stringify(currentVerdict(finding)));
      try {
        for (const [verdict, group] of groups) await sendVerdict(group, JSON.parse(verdict) as Verdict);
      } catch (err) {
        showErrorToast(err);
        await client.invalidateQueries({ queryKey: ['findings'] });
      }
    },
    [client, restore],
  );
  return useCallback(
    async (selected: readonly Finding[], verdict: Verdict): Promise<void> => {
      const findings = selected.filter(
        (each) => isTriagable(each) && (verdict !== null || each.triage !== null),
      );
      if (findings.length === 0) return;
      showVerdict(findings, verdict);
      try {
        await sendVerdict(findings, verdict);
      } catch (err) {
        restore(findings);
        return showErrorToast(err);
      }
      void client.invalidateQueries({ queryKey: queryKeys.summaries });
      showToast(
        <>
          {verdict === null ? 'Reopened' : 'Ignored'} {formatCount(findings.length, 'finding')}.{' '}
          <Anchor component="button" type="button" size="sm" onClick={() => void undo(findings)}>
            Undo
          </Anchor>
        </>,
      );
    },
    [client, showVerdict, restore, undo],
  );
}

/** Triages everything that matches the filter, loaded or not. @returns the number of changed findings */
export async function triageAll(filter: FindingQuery, verdict: Verdict): Promise<number> {
  const { changed } = await request(api.findings.triage.$post({ json: { filter, ...triageBody(verdict) } }));
  return changed;
}
