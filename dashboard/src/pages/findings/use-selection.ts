import { useCallback, useState } from 'react';

/** The selected rows, or everything that matches the filter. */
export interface Selection {
  ids: ReadonlySet<string>;
  all: boolean;
}

const NO_SELECTION: Selection = { ids: new Set(), all: false };

export function useSelection() {
  const [current, setSelection] = useState<Selection>(NO_SELECTION);
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
  const clear = useCallback(() => setSelection(NO_SELECTION), []);
  return { current, select, selectMany, clear };
}
