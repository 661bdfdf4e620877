import { EVENT_KINDS } from '../../domain/event.ts';
import { z } from '../shared.ts';

export const EventSchema = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    kind: z.enum(EVENT_KINDS),
    integrationId: z.string().nullable(),
    repositoryId: z.string().nullable(),
    actor: z.string(),
    text: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .openapi('Event');
