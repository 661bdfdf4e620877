import { SecuError } from '../../domain/errors.ts';
import { INTEGRATION_STATUSES } from '../../domain/integration.ts';
import type { ApiDeps } from '../deps.ts';
import {
  answers,
  commaListOf,
  createRoute,
  createRouter,
  emptyAnswer,
  forRole,
  idParam,
  jsonBody,
  listInput,
  listParams,
  pageSchema,
  presentPage,
  requestOrigin,
  z,
} from '../shared.ts';
import { patchIntegration } from './patch.ts';
import { presentIntegration } from './present.ts';
import { removeIntegration } from './remove.ts';
import { IntegrationPatch, IntegrationSchema } from './schemas.ts';
import { showIntegration } from './show.ts';

const tags = ['Integrations'];
const params = idParam('integration');

const listRoute = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/integrations',
  summary: 'List integrations',
  request: {
    query: z.strictObject({
      ...listParams,
      sort: z.enum(['createdAt', '-createdAt', 'name', '-name']).optional(),
      status: commaListOf(INTEGRATION_STATUSES),
      q: z.string().max(200).optional(),
    }),
  },
  responses: answers(200, pageSchema(IntegrationSchema, 'IntegrationPage'), 'A page'),
});

const getRoute = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/integrations/{id}',
  summary: 'Get an integration',
  request: { params },
  responses: answers(200, IntegrationSchema, 'The integration', [404]),
});

const patchRoute = createRoute({
  ...forRole('operator'),
  tags,
  method: 'patch',
  path: '/integrations/{id}',
  summary: 'Change the name, filters, branches, history, rotation or expiry; pause and resume',
  request: { params, ...jsonBody(IntegrationPatch) },
  responses: answers(200, IntegrationSchema, 'The changed integration', [404, 409, 422]),
});

const removeRoute = createRoute({
  ...forRole('admin'),
  tags,
  method: 'delete',
  path: '/integrations/{id}',
  summary: 'Delete an integration: wipe the token, remove all its data',
  request: { params },
  responses: emptyAnswer('Removed', [404]),
});

/** Lists, shows, changes and deletes integrations. */
export function createManagementRouter(deps: ApiDeps) {
  const { stores } = deps.database;
  return createRouter()
    .openapi(listRoute, async (c) => {
      const query = c.req.valid('query');
      const page = await stores.integrationViews.list(query, listInput(query));
      const context = { thresholds: deps.settings.expiryThresholds, now: deps.now() };
      return c.json(
        presentPage(page, (view) => presentIntegration(view, context)),
        200,
      );
    })
    .openapi(getRoute, async (c) => c.json(await showIntegration(deps, c.req.valid('param').id), 200))
    .openapi(patchRoute, async (c) => {
      const { id } = c.req.valid('param');
      const principal = c.get('principal');
      const body = c.req.valid('json');
      if (body.autoRotate !== undefined && principal.role !== 'admin') {
        throw new SecuError('forbidden', 'autoRotate requires the role admin');
      }
      await patchIntegration({ deps, ...requestOrigin(c), id, body });
      return c.json(await showIntegration(deps, id), 200);
    })
    .openapi(removeRoute, async (c) => {
      await removeIntegration({ deps, ...requestOrigin(c), id: c.req.valid('param').id });
      return c.body(null, 204);
    });
}
