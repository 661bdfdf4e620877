import type { StoredEvent } from '../../db/stores/events.ts';
import { escapeForeignText } from '../../domain/finding.ts';
import type { z } from '../shared.ts';
import { iso } from '../shared.ts';
import type { EventSchema } from './schemas.ts';

export function presentEvent(event: StoredEvent): z.infer<typeof EventSchema> {
  return {
    ...event,
    at: iso(event.at),
    actor: escapeForeignText(event.actor),
    text: escapeForeignText(event.text),
    data: Object.fromEntries(Object.entries(event.data).map(([name, value]) => [name, escaped(value)])),
  };
}

/** Paths and names of GitLab may be anywhere in it. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return escapeForeignText(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, escaped(part)]));
}
