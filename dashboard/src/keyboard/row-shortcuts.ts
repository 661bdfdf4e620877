import { useRef } from 'react';
import { useShortcuts } from './hotkeys.ts';

/**
 * Shortcuts of a list whose rows have a `data-row` id and contain a link. `j`, `k` and the arrow keys move the focus
 * between the links, so that Enter opens one; `rowActions` are keys that act on the focused row.
 */
export function useRowShortcuts<E extends HTMLElement>(
  rowActions: Record<string, (rowId: string) => void> = {},
) {
  const list = useRef<E>(null);
  const step = (by: 1 | -1) => {
    const rows = rowElements(list.current);
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const next = at === -1 ? (by === 1 ? rows[0] : rows.at(-1)) : rows[at + by];
    next?.querySelector('a')?.focus();
  };
  const actions = Object.entries(rowActions).map(([key, act]) => [
    key,
    () => {
      const row = rowElements(list.current).find((each) => each.contains(document.activeElement));
      const id = row?.dataset['row'];
      if (id !== undefined) act(id);
    },
  ]);
  const next = () => step(1);
  const previous = () => step(-1);
  useShortcuts({ j: next, ArrowDown: next, k: previous, ArrowUp: previous, ...Object.fromEntries(actions) });
  return list;
}

function rowElements(list: HTMLElement | null): HTMLElement[] {
  return list === null ? [] : [...list.querySelectorAll<HTMLElement>('[data-row]')];
}
