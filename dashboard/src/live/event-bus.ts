import { useEffect, useRef } from 'react';
import type { LiveEvent } from './event-stream.ts';

const listeners = new Set<(event: LiveEvent) => void>();

export function publishEvent(event: LiveEvent): void {
  for (const listener of listeners) listener(event);
}

/** Hears every event of the stream while the component is there. */
export function useLiveEvents(listener: (event: LiveEvent) => void): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    const hear = (event: LiveEvent) => latest.current(event);
    listeners.add(hear);
    return () => void listeners.delete(hear);
  }, []);
}
