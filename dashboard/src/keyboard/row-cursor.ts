import { useCallback, useMemo, useState } from 'react';

/** Where `by` rows from here is; the first row where nothing is marked yet. */
export function moveCursor(ids: readonly string[], id: string | null, by: number): string | null {
  if (ids.length === 0) return null;
  const at = id === null ? -1 : ids.indexOf(id);
  const next = at === -1 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by));
  return ids[next] ?? null;
}

/** The row that keys act on. It takes the focus when a key moved it there, never by itself. */
export interface RowCursor {
  id: string | null;
  /** Counts moves by key: each one puts the focus on the row. */
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
  /** Marks a row without taking the focus there. */
  const mark = useCallback((next: string | null) => setCursor(({ moves }) => ({ id: next, moves })), []);
  return { cursor: { id, moves: cursor.moves }, step, mark };
}
