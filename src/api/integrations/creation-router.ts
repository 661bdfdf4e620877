import type { ApiDeps } from '../deps.ts';
import { forRoleIdempotent } from '../middleware/idempotency.ts';
import { answers, createRoute, createRouter, forRole, jsonBody, requestOrigin } from '../shared.ts';
import { createIntegration } from './create.ts';
import {
  DryRunSchema,
  IntegrationSchema,
  NewIntegration,
  TokenLinkQuery,
  TokenLinkSchema,
} from './schemas.ts';
import { showIntegration } from './show.ts';
import { testToken, tokenLink } from './test-token.ts';

const tags = ['Integrations'];

const testRoute = createRoute({
  ...forRole('operator'),
  tags,
  method: 'post',
  path: '/integrations/test',
  summary: 'Test a token without storing anything',
  request: jsonBody(NewIntegration),
  responses: answers(200, DryRunSchema, 'The result of each check'),
});

const tokenLinkRoute = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/integrations/token-link',
  summary: "A link to GitLab's token form with the fields filled in",
  request: { query: TokenLinkQuery },
  responses: answers(200, TokenLinkSchema, 'The link'),
});

const newIntegrationRoute = (deps: ApiDeps) =>
  createRoute({
    ...forRoleIdempotent('operator', deps),
    tags,
    method: 'post',
    path: '/integrations',
    summary: 'Create an integration: seal the token, store it, verify it',
    request: jsonBody(NewIntegration),
    responses: answers(201, IntegrationSchema, 'Stored; its status is the verdict', [409, 422]),
  });

/** Routes that create integrations and test tokens. */
export function createCreationRouter(deps: ApiDeps) {
  return createRouter()
    .openapi(newIntegrationRoute(deps), async (c) => {
      const id = await createIntegration({ deps, ...requestOrigin(c), body: c.req.valid('json') });
      return c.json(await showIntegration(deps, id), 201, { Location: `/api/v1/integrations/${id}` });
    })
    .openapi(testRoute, async (c) => c.json(await testToken({ deps, body: c.req.valid('json') }), 200))
    .openapi(tokenLinkRoute, async (c) => {
      const { baseUrl = deps.settings.defaultBaseUrl, renew } = c.req.valid('query');
      return c.json(tokenLink({ baseUrl, renew: renew === 'true' }), 200);
    });
}
