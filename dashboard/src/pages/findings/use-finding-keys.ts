import { useShortcuts } from '../../keyboard/hotkeys.ts';
import type { useRowCursor } from '../../keyboard/row-cursor.ts';
import { isHttpUrl } from '../../parts/external-link.tsx';
import type { FindingSearch } from './filters.ts';
import type { Finding } from './finding-data.ts';
import { REASONS } from './finding-labels.ts';
import { copyLink } from './finding-panel.tsx';
import type { useSelection } from './use-selection.ts';
import type { TriageFlow } from './use-triage-flow.ts';

/** Shortcuts of the list; every one has a button with the same effect. */
export function useFindingKeys(input: {
  rows: readonly Finding[];
  search: FindingSearch;
  cursor: ReturnType<typeof useRowCursor>;
  selection: ReturnType<typeof useSelection>;
  mayTriage: boolean;
  flow: TriageFlow;
  open: (id: string) => void;
  close: () => void;
}): void {
  const { rows, search, cursor, selection, mayTriage, flow } = input;
  const current = cursor.cursor.id ?? search.finding ?? null;
  const move = (by: number) => {
    const next = cursor.step(by);
    if (next !== null && search.finding !== undefined) input.open(next);
  };
  const extend = (by: number) => {
    if (current !== null) selection.select(current, true);
    const next = cursor.step(by);
    if (next !== null) selection.select(next, true);
  };
  const finding = rows.find(({ id }) => id === current);
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => current !== null && input.open(current),
    Escape: () => (search.finding === undefined ? selection.clear() : input.close()),
    c: () => current !== null && void copyLink(current),
    v: () => {
      if (finding !== undefined && isHttpUrl(finding.permalink))
        window.open(finding.permalink, '_blank', 'noopener,noreferrer');
    },
  });
  useShortcuts(
    {
      x: () => current !== null && selection.select(current, !selection.current.ids.has(current)),
      'Shift+j': () => extend(1),
      'Shift+k': () => extend(-1),
      'Shift+ArrowDown': () => extend(1),
      'Shift+ArrowUp': () => extend(-1),
      r: () => flow.triageSelection(null),
      ...Object.fromEntries(
        REASONS.map((reason, index) => [`i ${index + 1}`, () => flow.triageSelection({ reason })]),
      ),
    },
    mayTriage,
  );
}
