import { randomBytes } from 'node:crypto';
import { SecuError } from '../../domain/errors.ts';
import { hookTokenSealContext } from '../../domain/hook.ts';
import { Secret } from '../../domain/secret.ts';
import type { ApiDeps } from '../deps.ts';
import {
  answers,
  createRoute,
  createRouter,
  emptyAnswer,
  forRole,
  found,
  idParam,
  integrationAuditEvent,
  requestOrigin,
} from '../shared.ts';
import type { IntegrationRequest } from './integration-request.ts';
import { HookTokenSchema } from './schemas.ts';

const tags = ['Integrations'];
const params = idParam('integration');
/** GitLab accepts exactly this length as a signing token. */
const TOKEN_BYTES = 32;

const createTokenRoute = createRoute({
  ...forRole('admin'),
  tags,
  method: 'post',
  path: '/integrations/{id}/hook-token',
  summary: 'Create the token that webhooks of GitLab send; an earlier one stops working at once',
  request: { params },
  responses: answers(201, HookTokenSchema, 'The URL of the webhook, and its token, shown this once', [404]),
});

const removeTokenRoute = createRoute({
  ...forRole('admin'),
  tags,
  method: 'delete',
  path: '/integrations/{id}/hook-token',
  summary: 'Refuse webhooks for this integration from now on',
  request: { params },
  responses: emptyAnswer('Removed', [404]),
});

/** The token of an integration's webhook. */
export function createHookTokenRouter(deps: ApiDeps) {
  return createRouter()
    .openapi(createTokenRoute, async (c) => {
      const { id } = c.req.valid('param');
      const value = await createHookToken({ deps, ...requestOrigin(c), id });
      return c.json({ url: `${deps.settings.publicUrl}/api/v1/hooks/gitlab/${id}`, value }, 201);
    })
    .openapi(removeTokenRoute, async (c) => {
      await removeHookToken({ deps, ...requestOrigin(c), id: c.req.valid('param').id });
      return c.body(null, 204);
    });
}

/** @returns the token, which is shown only in this answer @throws SecuError `not_found` */
async function createHookToken(input: IntegrationRequest): Promise<string> {
  const { deps, id } = input;
  const now = deps.now();
  const value = `whsec_${randomBytes(TOKEN_BYTES).toString('base64')}`;
  await deps.database.transaction(async (tx) => {
    const { name } = found(await tx.integrations.lock(id), 'integration');
    const version = ((await tx.hooks.token(id))?.version ?? 0) + 1;
    const context = hookTokenSealContext({ integrationId: id, version });
    const sealed = deps.vault.seal({ context, secret: new Secret(value) });
    await tx.hooks.setToken({ integrationId: id, token: { ...sealed, version }, now });
    const text = `A webhook token of ${name} was created${version === 1 ? '' : '; the earlier one stopped working'}.`;
    const event = { kind: 'settings.hook_token_created', integrationId: id, text } as const;
    await tx.events.add([integrationAuditEvent(input, event)], now);
  });
  return value;
}

/** @throws SecuError `not_found` */
async function removeHookToken(input: IntegrationRequest): Promise<void> {
  const { deps, id } = input;
  const now = deps.now();
  await deps.database.transaction(async (tx) => {
    const { name } = found(await tx.integrations.lock(id), 'integration');
    if (!(await tx.hooks.remove(id)))
      throw new SecuError('not_found', 'this integration has no webhook token');
    const text = `The webhook token of ${name} was removed.`;
    const event = { kind: 'settings.hook_token_removed', integrationId: id, text } as const;
    await tx.events.add([integrationAuditEvent(input, event)], now);
  });
}
