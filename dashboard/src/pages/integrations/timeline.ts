import type { StoredEvent } from '../../api/types.ts';

export type TimelineEvent = Pick<StoredEvent, 'id' | 'at' | 'kind' | 'actor' | 'text'>;

export interface EventGroup<E extends TimelineEvent> {
  /** The newest event of the group. */
  head: E;
  rest: E[];
}

/** Groups consecutive events of the same kind and actor; newest first. */
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

/** Prepends a stored event unless it is already there; live-only events are ignored. */
export function withEvent<E extends TimelineEvent>(events: readonly E[], event: E): readonly E[] {
  if (!event.id.startsWith('evt_') || events.some(({ id }) => id === event.id)) return events;
  return [event, ...events];
}
