import { DELIVERY_STATES } from '../../domain/channel.ts';
import type { ApiDeps } from '../deps.ts';
import { forRoleIdempotent } from '../middleware/idempotency.ts';
import { pollUntil } from '../poll-until.ts';
import {
  answers,
  auditedBy,
  commaListOf,
  createRoute,
  createRouter,
  forRole,
  found,
  idParam,
  jsonBody,
  listInput,
  listParams,
  pageSchema,
  presentPage,
  problemAnswers,
  z,
} from '../shared.ts';
import { changeChannel, createChannel, queueAgain, queueTest, removeChannel } from './change.ts';
import { presentChannel, presentDelivery } from './present.ts';
import { ChannelPatch, ChannelSchema, DeliverySchema, NewChannel } from './schemas.ts';

const tags = ['Channels'];
const params = idParam('channel');
const TEST_MS = 15_000;

const list = createRoute({
  ...forRole('admin'),
  tags,
  method: 'get',
  path: '/channels',
  summary: 'List notification channels',
  request: { query: z.strictObject(listParams) },
  responses: answers(200, pageSchema(ChannelSchema, 'ChannelPage'), 'A page'),
});

const get = createRoute({
  ...forRole('admin'),
  tags,
  method: 'get',
  path: '/channels/{id}',
  summary: 'Get a channel',
  request: { params },
  responses: answers(200, ChannelSchema, 'The channel', [404]),
});

const change = createRoute({
  ...forRole('admin'),
  tags,
  method: 'patch',
  path: '/channels/{id}',
  summary: 'Change the given fields; `enabled: false` cancels queued deliveries',
  request: { params, ...jsonBody(ChannelPatch) },
  responses: answers(200, ChannelSchema, 'The changed channel', [404, 422]),
});

const remove = createRoute({
  ...forRole('admin'),
  tags,
  method: 'delete',
  path: '/channels/{id}',
  summary: 'Delete a channel and its deliveries',
  request: { params },
  responses: { 204: { description: 'Removed' }, ...problemAnswers([400, 401, 403, 404, 503]) },
});

const deliveries = createRoute({
  ...forRole('admin'),
  tags,
  method: 'get',
  path: '/channels/{id}/deliveries',
  summary: 'List deliveries, newest first',
  request: { params, query: z.strictObject({ ...listParams, state: commaListOf(DELIVERY_STATES) }) },
  responses: answers(200, pageSchema(DeliverySchema, 'DeliveryPage'), 'A page', [404]),
});

/** Routes that start something: admin, once per `Idempotency-Key`. */
function starting(deps: ApiDeps) {
  const base = { ...forRoleIdempotent('admin', deps), tags };
  const create = createRoute({
    ...base,
    method: 'post',
    path: '/channels',
    summary: 'Create a channel; the signing secret of a webhook is shown only once',
    request: jsonBody(NewChannel),
    responses: answers(
      201,
      ChannelSchema.extend({ signingSecret: z.string().optional() }).openapi('CreatedChannel'),
      'Made',
      [422],
    ),
  });
  const test = createRoute({
    ...base,
    method: 'post',
    path: '/channels/{id}/test',
    summary: 'Send a test message now and return the result',
    request: { params },
    responses: {
      ...answers(200, DeliverySchema, 'The delivery: sent, or failed with its cause', [404]),
      202: {
        description: 'Not finished within 15 s; it continues in the background',
        content: { 'application/json': { schema: DeliverySchema } },
      },
    },
  });
  const retry = createRoute({
    ...base,
    method: 'post',
    path: '/channels/{id}/deliveries/{deliveryId}/retry',
    summary: 'Resend a message now, under the same id',
    request: { params: params.extend({ deliveryId: z.string().max(100) }) },
    responses: answers(202, DeliverySchema, 'The delivery is queued', [404, 409]),
  });
  return { create, test, retry };
}

export function createChannelsRouter(deps: ApiDeps) {
  const { channels, deliveries: store } = deps.database.stores;
  const { create, test, retry } = starting(deps);
  return createRouter()
    .openapi(list, async (c) =>
      c.json(presentPage(await channels.list(listInput(c.req.valid('query'))), presentChannel), 200),
    )
    .openapi(get, async (c) =>
      c.json(presentChannel(found(await channels.find(c.req.valid('param').id), 'channel')), 200),
    )
    .openapi(create, async (c) => {
      const { id, signingSecret } = await createChannel({
        deps,
        by: auditedBy(c),
        body: c.req.valid('json'),
      });
      const shown = presentChannel(found(await channels.find(id), 'channel'));
      const created = signingSecret === null ? shown : { ...shown, signingSecret };
      return c.json(created, 201, { Location: `/api/v1/channels/${id}` });
    })
    .openapi(change, async (c) => {
      const { id } = c.req.valid('param');
      await changeChannel({ deps, by: auditedBy(c), id, body: c.req.valid('json') });
      return c.json(presentChannel(found(await channels.find(id), 'channel')), 200);
    })
    .openapi(remove, async (c) => {
      await removeChannel({ deps, by: auditedBy(c), id: c.req.valid('param').id });
      return c.body(null, 204);
    })
    .openapi(test, async (c) => {
      const { id } = c.req.valid('param');
      const deliveryId = await queueTest({ deps, by: auditedBy(c), id });
      const delivery = found(await ended(deps, { id: deliveryId, channelId: id }), 'delivery');
      return c.json(presentDelivery(delivery), delivery.state === 'queued' ? 202 : 200);
    })
    .openapi(deliveries, async (c) => {
      const { id: channelId } = c.req.valid('param');
      const query = c.req.valid('query');
      found(await channels.find(channelId), 'channel');
      return c.json(
        presentPage(await store.list({ channelId, state: query.state }, listInput(query)), presentDelivery),
        200,
      );
    })
    .openapi(retry, async (c) => {
      const { id, deliveryId } = c.req.valid('param');
      await queueAgain({ deps, by: auditedBy(c), id, deliveryId });
      return c.json(
        presentDelivery(found(await store.find({ id: deliveryId, channelId: id }), 'delivery')),
        202,
      );
    });
}

/** The delivery when it has finished, or its state after 15 s. */
async function ended({ database }: Pick<ApiDeps, 'database'>, which: { id: string; channelId: string }) {
  return pollUntil({
    read: () => database.stores.deliveries.find(which),
    isDone: (delivery) => delivery === null || delivery.state !== 'queued',
    timeoutMs: TEST_MS,
  });
}
