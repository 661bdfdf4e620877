import type { StoredEvent } from '../../db/stores/events.ts';
import { escapeForeignData, escapeForeignText } from '../../domain/finding.ts';
import type { z } from '../shared.ts';
import { iso } from '../shared.ts';
import type { EventSchema } from './schemas.ts';

export function presentEvent(event: StoredEvent): z.infer<typeof EventSchema> {
  return {
    ...event,
    at: iso(event.at),
    actor: escapeForeignText(event.actor),
    text: escapeForeignText(event.text),
    data: Object.fromEntries(
      Object.entries(event.data).map(([name, value]) => [name, escapeForeignData(value)]),
    ),
  };
}
