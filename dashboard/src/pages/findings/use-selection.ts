import { useCallback, useState } from 'react';

/** Rows that a person picked, or all that the filter shows. */
export interface Selection {
  ids: ReadonlySet<string>;
  all: boolean;
}

const NOTHING: Selection = { ids: new Set(), all: false };

export function useSelection() {
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const select = useCallback((id: string, selected: boolean) => {
    setSelection(({ ids }) => {
      const next = new Set(ids);
      if (selected) next.add(id);
      else next.delete(id);
      return { ids: next, all: false };
    });
  }, []);
  const selectMany = useCallback((ids: readonly string[], all: boolean) => {
    setSelection({ ids: new Set(ids), all });
  }, []);
  const clear = useCallback(() => setSelection(NOTHING), []);
  return { selection, select, selectMany, clear };
}
