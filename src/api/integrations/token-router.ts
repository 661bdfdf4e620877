import type { ApiDeps } from '../deps.ts';
import { forRoleIdempotent } from '../middleware/idempotency.ts';
import { answers, createRoute, createRouter, forRole, idParam, jsonBody, requestOrigin } from '../shared.ts';
import { replaceToken } from './replace-token.ts';
import { rotateNow } from './rotate.ts';
import { IntegrationSchema, NewToken, RotateRequest } from './schemas.ts';
import { showIntegration } from './show.ts';
import { verifyNow } from './verify.ts';

const tags = ['Integrations'];
const params = idParam('integration');

/** The answer while the command continues. */
const STILL_RUNNING = {
  202: {
    description: 'Still running; its outcome will be an event',
    content: { 'application/json': { schema: IntegrationSchema } },
  },
};

const replaceTokenRoute = createRoute({
  ...forRole('operator'),
  tags,
  method: 'put',
  path: '/integrations/{id}/token',
  summary: 'Replace the token after verifying the new one',
  request: { params, ...jsonBody(NewToken) },
  responses: {
    ...answers(200, IntegrationSchema, 'Replaced', [404, 409, 422]),
    ...STILL_RUNNING,
  },
});

const rotateRoute = (deps: ApiDeps) =>
  createRoute({
    ...forRoleIdempotent('admin', deps),
    tags,
    method: 'post',
    path: '/integrations/{id}/rotate',
    summary: 'Rotate the token in GitLab',
    request: { params, ...jsonBody(RotateRequest, { required: false }) },
    responses: {
      ...answers(200, IntegrationSchema, 'Rotated', [404, 409]),
      ...STILL_RUNNING,
    },
  });

const verifyRoute = (deps: ApiDeps) =>
  createRoute({
    ...forRoleIdempotent('operator', deps),
    tags,
    method: 'post',
    path: '/integrations/{id}/verify',
    summary: 'Verify the token now',
    request: { params },
    responses: {
      ...answers(200, IntegrationSchema, 'Verified', [404]),
      ...STILL_RUNNING,
    },
  });

/** Commands that concern the token: replace, rotate, verify. */
export function createTokenRouter(deps: ApiDeps) {
  return createRouter()
    .openapi(replaceTokenRoute, async (c) => {
      const { id } = c.req.valid('param');
      const done = await replaceToken({ deps, ...requestOrigin(c), id, ...c.req.valid('json') });
      return c.json(await showIntegration(deps, id), done ? 200 : 202);
    })
    .openapi(rotateRoute(deps), async (c) => {
      const { id } = c.req.valid('param');
      const body = c.req.valid('json');
      const force = body?.force ?? false;
      const done = await rotateNow({ deps, ...requestOrigin(c), id, expiresAt: body?.expiresAt, force });
      return c.json(await showIntegration(deps, id), done ? 200 : 202);
    })
    .openapi(verifyRoute(deps), async (c) => {
      const { id } = c.req.valid('param');
      const done = await verifyNow({ deps, ...requestOrigin(c), id });
      return c.json(await showIntegration(deps, id), done ? 200 : 202);
    });
}
