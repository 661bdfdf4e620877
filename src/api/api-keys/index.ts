import { randomBytes } from 'node:crypto';
import type { ApiKeyView } from '../../db/stores/api-keys.ts';
import { SecuError } from '../../domain/errors.ts';
import { API_KEY_ROLES, ROLES } from '../../domain/user.ts';
import type { ApiDeps, AuditedBy } from '../deps.ts';
import { hashOfApiKey } from '../middleware/authenticate.ts';
import { forRoleIdempotent } from '../middleware/idempotency.ts';
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
    ...forRoleIdempotent('admin', deps),
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
      const { id, value } = await createApiKey({ deps, by: auditedBy(c), body: c.req.valid('json') });
      return c.json({ ...present(found(await apiKeys.find(id), 'API key')), value }, 201, {
        Location: `/api/v1/api-keys/${id}`,
      });
    })
    .openapi(remove, async (c) => {
      await removeApiKey({ deps, by: auditedBy(c), id: c.req.valid('param').id });
      return c.body(null, 204);
    });
}

/** @throws SecuError `invalid_request` when the expiry has passed */
async function createApiKey(input: {
  deps: ApiDeps;
  by: AuditedBy;
  body: z.infer<typeof NewApiKey>;
}): Promise<{ id: string; value: string }> {
  const { deps, by, body } = input;
  const { name, role } = body;
  const now = deps.now();
  const expiresAt = body.expiresAt === undefined ? null : new Date(body.expiresAt);
  if (expiresAt !== null && expiresAt <= now)
    throw new SecuError('invalid_request', 'expiresAt: must be in the future');
  const value = `${ROLES[role].keyPrefix}${randomBytes(KEY_BYTES).toString('base64url')}`;
  const key = { name, role, hash: hashOfApiKey(value), lastFour: value.slice(-4), expiresAt, now };
  const id = await deps.database.transaction(async (tx) => {
    const apiKeyId = await tx.apiKeys.add({ ...key, source: 'api' });
    const text = `The API key "${name}" (${role}) was created.`;
    await tx.events.add([auditEvent(by, { kind: 'api_key.created', text, data: { apiKeyId } })], now);
    return apiKeyId;
  });
  return { id, value };
}

/** @throws SecuError `not_found` | `managed_by_environment` */
async function removeApiKey({ deps, by, id }: { deps: ApiDeps; by: AuditedBy; id: string }): Promise<void> {
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
    await tx.events.add([auditEvent(by, { kind: 'api_key.removed', text, data: { apiKeyId: id } })], now);
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
