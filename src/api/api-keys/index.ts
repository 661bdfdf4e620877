import { randomBytes } from 'node:crypto';
import type { ApiKeyView } from '../../db/stores/api-keys.ts';
import { SecuError } from '../../domain/errors.ts';
import { API_KEY_ROLES, ROLES } from '../../domain/user.ts';
import type { ApiDeps } from '../deps.ts';
import { hashOfApiKey, requireRole } from '../middleware/authenticate.ts';
import { idempotent } from '../middleware/idempotency.ts';
import {
  answers,
  auditEvent,
  auditedBy,
  createRoute,
  createRouter,
  emptyAnswer,
  forRole,
  found,
  givenName,
  idParam,
  iso,
  isoOrNull,
  jsonBody,
  listInput,
  listParams,
  pageSchema,
  presentPage,
  SECURITY,
  z,
} from '../shared.ts';

const tags = ['API keys'];

const ApiKeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(API_KEY_ROLES),
    lastFour: z.string(),
    source: z.enum(['api', 'environment', 'cli']),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .openapi('ApiKey');

const NewApiKey = z
  .strictObject({
    name: givenName,
    role: z.enum(API_KEY_ROLES),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
  })
  .openapi('NewApiKey');

const list = createRoute({
  ...forRole('admin'),
  tags,
  method: 'get',
  path: '/api-keys',
  summary: 'List API keys, without their values',
  request: { query: z.strictObject(listParams) },
  responses: answers(200, pageSchema(ApiKeySchema, 'ApiKeyPage'), 'A page'),
});

const remove = createRoute({
  ...forRole('admin'),
  tags,
  method: 'delete',
  path: '/api-keys/{id}',
  summary: 'Delete an API key',
  request: { params: idParam('apiKey') },
  responses: emptyAnswer('Ended', [404, 409]),
});

const KEY_BYTES = 32;

export function createApiKeysRouter(deps: ApiDeps) {
  const { apiKeys } = deps.database.stores;
  const create = createRoute({
    middleware: [requireRole('admin'), idempotent(deps)],
    security: SECURITY,
    tags,
    method: 'post',
    path: '/api-keys',
    summary: 'Create an API key; its value is shown only once',
    request: jsonBody(NewApiKey),
    responses: answers(201, ApiKeySchema.extend({ value: z.string() }).openapi('CreatedApiKey'), 'Made'),
  });
  return createRouter()
    .openapi(list, async (c) =>
      c.json(presentPage(await apiKeys.list(listInput(c.req.valid('query'))), present), 200),
    )
    .openapi(create, async (c) => {
      const body = c.req.valid('json');
      const now = deps.now();
      const expiresAt = body.expiresAt === undefined ? null : new Date(body.expiresAt);
      if (expiresAt !== null && expiresAt <= now)
        throw new SecuError('invalid_request', 'expiresAt: must be in the future');
      const value = `${ROLES[body.role].keyPrefix}${randomBytes(KEY_BYTES).toString('base64url')}`;
      const id = await deps.database.transaction(async (tx) => {
        const key = {
          name: body.name,
          role: body.role,
          hash: hashOfApiKey(value),
          lastFour: value.slice(-4),
          expiresAt,
          now,
        };
        const id = await tx.apiKeys.add({ ...key, source: 'api' });
        const text = `The API key "${body.name}" (${body.role}) was created.`;
        const data = { apiKeyId: id };
        await tx.events.add([auditEvent(auditedBy(c), { kind: 'api_key.created', text, data })], now);
        return id;
      });
      return c.json({ ...present(found(await apiKeys.find(id), 'API key')), value }, 201, {
        Location: `/api/v1/api-keys/${id}`,
      });
    })
    .openapi(remove, async (c) => {
      const { id } = c.req.valid('param');
      const now = deps.now();
      await deps.database.transaction(async (tx) => {
        const key = found(await tx.apiKeys.find(id), 'API key');
        if (key.source !== 'api') {
          throw new SecuError(
            'managed_by_environment',
            'this key is managed by SECU_BOOTSTRAP_API_KEY; change it there',
          );
        }
        found((await tx.apiKeys.remove({ id, now })) || null, 'API key');
        const text = `The API key "${key.name}" was deleted.`;
        const data = { apiKeyId: id };
        await tx.events.add([auditEvent(auditedBy(c), { kind: 'api_key.removed', text, data })], now);
      });
      return c.body(null, 204);
    });
}

function present(view: ApiKeyView): z.infer<typeof ApiKeySchema> {
  return {
    ...view,
    createdAt: iso(view.createdAt),
    expiresAt: isoOrNull(view.expiresAt),
    lastUsedAt: isoOrNull(view.lastUsedAt),
  };
}
