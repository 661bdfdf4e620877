import { useEffect, useRef } from 'react';
import type { LiveEvent } from './live-event.ts';

const listeners = new Set<(event: LiveEvent) => void>();

export function publishEvent(event: LiveEvent): void {
  for (const listener of listeners) listener(event);
}

/** Calls the listener for every event of the stream while the component is mounted. */
export function useLiveEvents(listener: (event: LiveEvent) => void): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    const notify = (event: LiveEvent) => latest.current(event);
    listeners.add(notify);
    return () => void listeners.delete(notify);
  }, []);
}
