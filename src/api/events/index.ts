import { streamSSE } from 'hono/streaming';
import { SecuError } from '../../domain/errors.ts';
import { isIdOf } from '../../domain/ids.ts';
import type { ApiDeps } from '../deps.ts';
import { isStillAllowed } from '../middleware/authenticate.ts';
import {
  answers,
  commaList,
  createRoute,
  createRouter,
  forRole,
  listInput,
  listParams,
  pageSchema,
  presentPage,
  problemAnswers,
  z,
} from '../shared.ts';
import { presentEvent } from './present.ts';
import { EventSchema } from './schemas.ts';
import { streamEvents } from './stream.ts';

const tags = ['Events'];

const list = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/events',
  summary: 'List events, newest first',
  request: { query: z.strictObject({ ...listParams, integrationId: commaList, kind: commaList }) },
  responses: answers(200, pageSchema(EventSchema, 'EventPage'), 'A page'),
});

const stream = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/events/stream',
  summary: 'Stream events (server-sent events); resume with Last-Event-ID',
  request: { headers: z.object({ 'last-event-id': z.string().optional() }) },
  responses: {
    200: { description: 'The stream', content: { 'text/event-stream': { schema: z.string() } } },
    ...problemAnswers([400, 401, 403, 503]),
  },
});

const START = { tx: '0', seq: '0' };

export function createEventsRouter(deps: ApiDeps) {
  const { events } = deps.database.stores;

  /** The position after `Last-Event-ID`; the oldest stored event when that one was deleted by retention. */
  async function positionAfter(lastEventId: string | undefined) {
    if (lastEventId === undefined || lastEventId === '') return events.endPosition();
    if (!isIdOf('event', lastEventId))
      throw new SecuError('invalid_request', 'Last-Event-ID: not the id of an event');
    return (await events.positionOf(lastEventId)) ?? START;
  }

  return createRouter()
    .openapi(list, async (c) => {
      const query = c.req.valid('query');
      const audit = c.get('principal').role === 'admin';
      const page = await events.list({ ...query, audit }, listInput(query));
      return c.json(presentPage(page, presentEvent), 200);
    })
    .openapi(stream, async (c) => {
      const from = await positionAfter(c.req.header('Last-Event-ID'));
      const principal = c.get('principal');
      c.header('X-Accel-Buffering', 'no');
      if (c.req.method === 'HEAD') return c.body(null, 200, { 'Content-Type': 'text/event-stream' });
      return streamSSE(
        c,
        async (sse) =>
          streamEvents({
            deps,
            stream: sse,
            from,
            audit: principal.role === 'admin',
            stillAllowed: () => isStillAllowed(deps, principal),
            disconnect: () => {
              sse.abort();
              c.env?.incoming?.socket.destroy();
            },
          }),
        async (err) => deps.log.warn({ err }, 'event stream ended'),
      );
    });
}
