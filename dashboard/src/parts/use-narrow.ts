import { useSyncExternalStore } from 'react';

const query = matchMedia('(max-width: 767px)');

/** Is the window narrower than what a table needs? For what CSS alone cannot do. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      query.addEventListener('change', listener);
      return () => query.removeEventListener('change', listener);
    },
    () => query.matches,
  );
}
