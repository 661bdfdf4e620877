export interface TimelineEvent {
  id: string;
  at: string;
  kind: string;
  actor: string;
  text: string;
}

export interface EventGroup<E extends TimelineEvent> {
  /** The newest of them. */
  head: E;
  rest: E[];
}

/** Events that follow each other and are of one kind, as one; newest first, as they come. */
export function groupEvents<E extends TimelineEvent>(events: readonly E[]): EventGroup<E>[] {
  const groups: EventGroup<E>[] = [];
  for (const event of events) {
    const last = groups.at(-1);
    if (last !== undefined && last.head.kind === event.kind && last.head.actor === event.actor)
      last.rest.push(event);
    else groups.push({ head: event, rest: [] });
  }
  return groups;
}

/** A stored event put before those that are there, once. Live-only ones have no place in a history. */
export function withEvent<E extends TimelineEvent>(events: readonly E[], event: E): readonly E[] {
  if (!event.id.startsWith('evt_') || events.some(({ id }) => id === event.id)) return events;
  return [event, ...events];
}

/** The colour of an event's dot. */
export function eventHue(kind: string): 'bad' | 'warn' | 'ok' | 'info' | 'neutral' {
  if (/\.(invalid|failed|expired|rotation_lost|rotation_failed|token_refused)$/.test(kind)) return 'bad';
  if (/\.(unreachable|expiry_flagged|brake_engaged|missing|reach_changed)$/.test(kind)) return 'warn';
  if (/\.(verified|recovered|rotated|token_replaced|returned|fixed)$/.test(kind)) return 'ok';
  return /^(finding|scan)\./.test(kind) ? 'info' : 'neutral';
}
