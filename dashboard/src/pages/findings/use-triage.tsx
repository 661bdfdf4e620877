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

/** `null` opens again. */
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

/** What a triage can change: the next scan speaks for the others. */
export function isTriagable({ status }: Pick<Finding, 'status'>): boolean {
  return status === 'open' || status === 'ignored';
}

async function sendVerdict(ids: readonly string[], verdict: Verdict): Promise<void> {
  const [id] = ids;
  if (ids.length === 1 && id !== undefined)
    await request(api.findings[':id'].$patch({ param: { id }, json: triageBody(verdict) }));
  else await request(api.findings.triage.$post({ json: { ids: [...ids], ...triageBody(verdict) } }));
}

/**
 * Triage that shows at once and can be taken back: a row that was triaged stays where it is until the filter is
 * applied anew. What the server refuses goes back to how it was.
 */
export function useTriage() {
  const client = useQueryClient();
  const { name } = useMe();
  const show = useCallback(
    (findings: readonly Finding[], verdict: Verdict) => {
      const at = new Date(serverClock.now()).toISOString();
      const triage =
        verdict === null
          ? null
          : {
              reason: verdict.reason,
              comment: verdict.comment ?? null,
              by: `user:${name}`,
              at,
              until: verdict.until ?? null,
            };
      const status = verdict === null ? ('open' as const) : ('ignored' as const);
      const patch = (finding: Finding): Finding => ({ ...finding, status, triage });
      patchFindings(client, new Map(findings.map(({ id }) => [id, patch])));
    },
    [client, name],
  );
  const putBack = useCallback(
    (findings: readonly Finding[]) =>
      patchFindings(client, new Map(findings.map((finding) => [finding.id, () => finding]))),
    [client],
  );
  const undo = useCallback(
    async (findings: readonly Finding[]) => {
      putBack(findings);
      const groups = Map.groupBy(findings, (finding) => JSON.stringify(currentVerdict(finding)));
      try {
        for (const [verdict, group] of groups)
          await sendVerdict(
            group.map(({ id }) => id),
            JSON.parse(verdict) as Verdict,
          );
      } catch (err) {
        showErrorToast(err);
        await client.invalidateQueries({ queryKey: ['findings'] });
      }
    },
    [client, putBack],
  );
  return useCallback(
    async (chosen: readonly Finding[], verdict: Verdict): Promise<void> => {
      const findings = chosen.filter(
        (each) => isTriagable(each) && (verdict !== null || each.triage !== null),
      );
      if (findings.length === 0) return;
      show(findings, verdict);
      try {
        await sendVerdict(
          findings.map(({ id }) => id),
          verdict,
        );
      } catch (err) {
        putBack(findings);
        return showErrorToast(err);
      }
      void client.invalidateQueries({ queryKey: queryKeys.summaries });
      showToast(
        <>
          {verdict === null ? 'Opened' : 'Ignored'} {formatCount(findings.length, 'finding')}.{' '}
          <Anchor component="button" type="button" size="sm" onClick={() => void undo(findings)}>
            Undo
          </Anchor>
        </>,
      );
    },
    [client, show, putBack, undo],
  );
}

/** Triage of all that a filter shows, loaded or not. @returns how many were changed */
export async function triageAll(filter: FindingQuery, verdict: Verdict): Promise<number> {
  const { changed } = await request(api.findings.triage.$post({ json: { filter, ...triageBody(verdict) } }));
  return changed;
}
