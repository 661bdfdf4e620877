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

/** From this number of findings on, a dialog asks for confirmation. */
const CONFIRM_FROM_COUNT = 20;

/** The open dialog: for these findings, or for all that match the filter. */
type PendingDialog = ({ findings: readonly Finding[] } | { all: number }) & { reason: Reason };
const DEFAULT_REASON: Reason = 'false_positive';

export type TriageFlow = ReturnType<typeof useTriageFlow>;

interface TriageFlowInput {
  rows: readonly Finding[];
  total: number | null;
  query: FindingQuery;
  cursor: ReturnType<typeof useRowCursor>;
  selection: ReturnType<typeof useSelection>;
  search: FindingSearch;
  open: (id: string) => void;
}

/** Triage from the list: which findings it applies to, whether to confirm, and which row is next. */
export function useTriageFlow(input: TriageFlowInput) {
  const { rows, total, query, cursor, selection, search } = input;
  const client = useQueryClient();
  const triage = useTriage();
  const [dialog, setDialog] = useState<PendingDialog | null>(null);
  const { ids, all } = selection.current;
  const current = search.finding ?? cursor.cursor.id;
  const targets = (): Finding[] => rows.filter(({ id }) => (ids.size > 0 ? ids.has(id) : id === current));
  const selectNext = () => {
    const next = cursor.step(1);
    if (search.finding !== undefined && next !== null) input.open(next);
  };
  const triageMany = async (findings: readonly Finding[], verdict: Verdict) => {
    selection.clear();
    if (cursor.cursor.id !== null) selectNext();
    await triage(findings, verdict);
  };
  const triageAllMatching = async (verdict: Verdict) => {
    const changed = await triageAll(query, verdict);
    selection.clear();
    showToast(`${verdict === null ? 'Reopened' : 'Ignored'} ${formatCount(changed, 'finding')}.`);
    await client.invalidateQueries({ queryKey: queryKeys.summaries });
    await restartList(client, queryKeys.findings(query));
  };
  /** Triages the selected rows or, without a selection, the current row. */
  const triageSelection = (verdict: Verdict) => {
    if (all) {
      if (verdict === null) return void triageAllMatching(null);
      return setDialog({ all: total ?? rows.length, reason: verdict.reason });
    }
    const findings = targets();
    if (verdict !== null && findings.length >= CONFIRM_FROM_COUNT)
      return setDialog({ findings, reason: verdict.reason });
    void triageMany(findings, verdict);
  };
  return {
    triageSelection,
    triageOne: (finding: Finding, verdict: Verdict) => void triage([finding], verdict),
    openDialog: (findings: readonly Finding[]) => setDialog({ findings, reason: DEFAULT_REASON }),
    openDialogForSelection: () =>
      setDialog({
        ...(all ? { all: total ?? rows.length } : { findings: targets() }),
        reason: DEFAULT_REASON,
      }),
    undo: (finding: Finding) => void triage([finding], null),
    dialog,
    confirm: async (verdict: Exclude<Verdict, null>) => {
      if (dialog === null) return;
      if ('all' in dialog) await triageAllMatching(verdict);
      else await triageMany(dialog.findings, verdict);
    },
    dismiss: () => setDialog(null),
  };
}
