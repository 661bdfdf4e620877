import { useCallback, useMemo, useState } from 'react';

/** The id `by` rows away, clamped to the list; the first row when none is marked. */
export function moveCursor(ids: readonly string[], id: string | null, by: number): string | null {
  if (ids.length === 0) return null;
  const at = id === null ? -1 : ids.indexOf(id);
  const next = at === -1 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by));
  return ids[next] ?? null;
}

/** The row that shortcuts act on. It receives the focus only when a key moved the cursor. */
export interface RowCursor {
  id: string | null;
  /** Number of moves by key; each one focuses the row. */
  moves: number;
}

export function useRowCursor(ids: readonly string[]) {
  const [cursor, setCursor] = useState<RowCursor>({ id: null, moves: 0 });
  const id = useMemo(
    () => (cursor.id !== null && ids.includes(cursor.id) ? cursor.id : null),
    [ids, cursor.id],
  );
  const step = useCallback(
    (by: number): string | null => {
      const next = moveCursor(ids, id, by);
      setCursor(({ moves }) => ({ id: next, moves: moves + 1 }));
      return next;
    },
    [ids, id],
  );
  /** Marks a row without focusing it. */
  const mark = useCallback((next: string | null) => setCursor(({ moves }) => ({ id: next, moves })), []);
  return { cursor: { id, moves: cursor.moves }, step, mark };
}
