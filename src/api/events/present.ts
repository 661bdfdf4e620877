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
  };
}
