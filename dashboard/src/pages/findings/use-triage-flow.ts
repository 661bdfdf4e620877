import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { queryKeys } from '../../api/query-keys.ts';
import { formatCount } from '../../format/labels.ts';
import type { useRowCursor } from '../../keyboard/row-cursor.ts';
import { restartList } from '../../lists/list-pages.ts';
import { showToast } from '../../parts/toast.ts';
import type { FindingQuery, FindingSearch } from './filters.ts';
import type { Finding } from './finding-data.ts';
import type { Reason } from './finding-labels.ts';
import type { useSelection } from './use-selection.ts';
import type { Verdict } from './use-triage.tsx';
import { triageAll, useTriage } from './use-triage.tsx';

/** From so many on it is asked first. */
const CONFIRM_FROM_COUNT = 20;

/** What the dialog is about: these, or all that match. */
type PendingDialog = ({ findings: readonly Finding[] } | { all: number }) & { reason: Reason };
const FIRST_REASON: Reason = 'false_positive';

export type TriageFlow = ReturnType<typeof useTriageFlow>;

/** From a wish to triage to what is triaged: whom it is about, whether to ask first, and where to go on. */
export function useTriageFlow(input: {
  rows: readonly Finding[];
  total: number | null;
  query: FindingQuery;
  cursor: ReturnType<typeof useRowCursor>;
  picked: ReturnType<typeof useSelection>;
  search: FindingSearch;
  open: (id: string) => void;
}) {
  const { rows, total, query, cursor, picked, search } = input;
  const client = useQueryClient();
  const triage = useTriage();
  const [asked, setAsked] = useState<PendingDialog | null>(null);
  const { ids, all } = picked.selection;
  const current = search.finding ?? cursor.cursor.id;
  const targets = (): Finding[] => rows.filter(({ id }) => (ids.size > 0 ? ids.has(id) : id === current));

  const goOn = () => {
    const next = cursor.step(1);
    if (search.finding !== undefined && next !== null) input.open(next);
  };
  const one = (finding: Finding, verdict: Verdict, { moveOn }: { moveOn: boolean }) => {
    void triage([finding], verdict);
    if (moveOn) goOn();
  };
  const many = async (findings: readonly Finding[], verdict: Verdict) => {
    picked.clear();
    if (cursor.cursor.id !== null) goOn();
    await triage(findings, verdict);
  };
  const everything = async (verdict: Verdict) => {
    const changed = await triageAll(query, verdict);
    picked.clear();
    showToast(`${verdict === null ? 'Opened' : 'Ignored'} ${formatCount(changed, 'finding')}.`);
    await client.invalidateQueries({ queryKey: queryKeys.summaries });
    await restartList(client, queryKeys.findings(query));
  };
  /** By key or button, for what is selected or else marked. */
  const wish = (verdict: Verdict) => {
    if (all) {
      if (verdict === null) return void everything(null);
      return setAsked({ all: total ?? rows.length, reason: verdict.reason });
    }
    const findings = targets();
    if (verdict !== null && findings.length >= CONFIRM_FROM_COUNT)
      return setAsked({ findings, reason: verdict.reason });
    void many(findings, verdict);
  };
  return {
    wish,
    one,
    ask: (findings: readonly Finding[]) => setAsked({ findings, reason: FIRST_REASON }),
    askTargets: () =>
      setAsked({
        ...(all ? { all: total ?? rows.length } : { findings: targets() }),
        reason: FIRST_REASON,
      }),
    undo: (finding: Finding) => void triage([finding], null),
    targets,
    asked,
    answer: async (verdict: Exclude<Verdict, null>) => {
      if (asked === null) return;
      if ('all' in asked) await everything(verdict);
      else await many(asked.findings, verdict);
    },
    dismiss: () => setAsked(null),
  };
}
