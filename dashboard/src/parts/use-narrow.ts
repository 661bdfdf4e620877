import { useSyncExternalStore } from 'react';

const query = matchMedia('(max-width: 767px)');

/** Whether the window is too narrow for tables; for layout that CSS cannot do. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      query.addEventListener('change', listener);
      return () => query.removeEventListener('change', listener);
    },
    () => query.matches,
  );
}
