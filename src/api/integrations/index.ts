import { SecuError } from '../../domain/errors.ts';
import { escapeForeignText } from '../../domain/finding.ts';
import type { ApiDeps } from '../deps.ts';
import { presentEvent } from '../events/present.ts';
import { presentRepository } from '../repositories/present.ts';
import { createRouter, found, listInput, presentPage, requestOrigin } from '../shared.ts';
import { createIntegration } from './create.ts';
import { explainPath, repositoryPathOf } from './explain.ts';
import { patchIntegration } from './patch.ts';
import { presentIntegration, presentSyncRun } from './present.ts';
import { previewFilters } from './preview-filters.ts';
import { removeIntegration } from './remove.ts';
import { replaceToken } from './replace-token.ts';
import { rotateNow } from './rotate.ts';
import { integrationRoutes } from './routes.ts';
import { scanAll } from './scan.ts';
import { syncNow } from './sync.ts';
import { testToken, tokenLink } from './test-token.ts';
import { verifyNow } from './verify.ts';

export function createIntegrationsRouter(deps: ApiDeps) {
  const routes = integrationRoutes(deps);
  const { stores } = deps.database;

  async function show(id: string) {
    const view = found(await stores.integrationViews.find(id), 'integration');
    return presentIntegration(view, { thresholds: deps.settings.expiryThresholds, now: deps.now() });
  }

  async function exists(id: string): Promise<void> {
    found(await stores.integrations.find(id), 'integration');
  }

  return createRouter()
    .openapi(routes.create, async (c) => {
      const id = await createIntegration({ deps, ...requestOrigin(c), body: c.req.valid('json') });
      return c.json(await show(id), 201, { Location: `/api/v1/integrations/${id}` });
    })
    .openapi(routes.test, async (c) => c.json(await testToken({ deps, body: c.req.valid('json') }), 200))
    .openapi(routes.tokenLink, async (c) => {
      const { baseUrl = deps.settings.defaultBaseUrl, renew } = c.req.valid('query');
      return c.json(tokenLink({ baseUrl, renew: renew === 'true' }), 200);
    })
    .openapi(routes.list, async (c) => {
      const query = c.req.valid('query');
      const page = await stores.integrationViews.list(query, listInput(query));
      const context = { thresholds: deps.settings.expiryThresholds, now: deps.now() };
      return c.json(
        presentPage(page, (view) => presentIntegration(view, context)),
        200,
      );
    })
    .openapi(routes.get, async (c) => c.json(await show(c.req.valid('param').id), 200))
    .openapi(routes.patch, async (c) => {
      const { id } = c.req.valid('param');
      const principal = c.get('principal');
      const body = c.req.valid('json');
      if (body.autoRotate !== undefined && principal.role !== 'admin') {
        throw new SecuError('forbidden', 'autoRotate requires the role admin');
      }
      await patchIntegration({ deps, ...requestOrigin(c), id, body });
      return c.json(await show(id), 200);
    })
    .openapi(routes.replaceToken, async (c) => {
      const { id } = c.req.valid('param');
      const done = await replaceToken({ deps, ...requestOrigin(c), id, ...c.req.valid('json') });
      return c.json(await show(id), done ? 200 : 202);
    })
    .openapi(routes.rotate, async (c) => {
      const { id } = c.req.valid('param');
      const body = c.req.valid('json');
      const force = body?.force ?? false;
      const done = await rotateNow({ deps, ...requestOrigin(c), id, expiresAt: body?.expiresAt, force });
      return c.json(await show(id), done ? 200 : 202);
    })
    .openapi(routes.verify, async (c) => {
      const { id } = c.req.valid('param');
      const done = await verifyNow({ deps, ...requestOrigin(c), id });
      return c.json(await show(id), done ? 200 : 202);
    })
    .openapi(routes.sync, async (c) => {
      const { id } = c.req.valid('param');
      const acceptRemovals = c.req.valid('json')?.acceptRemovals ?? false;
      if (acceptRemovals && c.get('principal').role !== 'admin')
        throw new SecuError('forbidden', 'acceptRemovals requires the role admin');
      return c.json(await syncNow({ deps, ...requestOrigin(c), id, acceptRemovals }), 202);
    })
    .openapi(routes.previewFilters, async (c) => {
      const { filters } = c.req.valid('json');
      return c.json(await previewFilters({ deps, id: c.req.valid('param').id, filters }), 200);
    })
    .openapi(routes.explain, async (c) => {
      const path = repositoryPathOf(c.req.valid('query').path);
      const explanation = await explainPath({ deps, id: c.req.valid('param').id, path });
      return c.json({ ...explanation, path: escapeForeignText(explanation.path) }, 200);
    })
    .openapi(routes.scan, async (c) => {
      const { id } = c.req.valid('param');
      const full = c.req.valid('json')?.full ?? false;
      return c.json(await scanAll({ deps, ...requestOrigin(c), id, full }), 202);
    })
    .openapi(routes.remove, async (c) => {
      await removeIntegration({ deps, ...requestOrigin(c), id: c.req.valid('param').id });
      return c.body(null, 204);
    })
    .openapi(routes.repositories, async (c) => {
      const { id } = c.req.valid('param');
      const query = c.req.valid('query');
      await exists(id);
      const page = await stores.repositories.list({ ...query, integrationId: [id] }, listInput(query));
      return c.json(presentPage(page, presentRepository), 200);
    })
    .openapi(routes.events, async (c) => {
      const { id } = c.req.valid('param');
      const query = c.req.valid('query');
      await exists(id);
      const audit = c.get('principal').role === 'admin';
      const page = await stores.events.list(
        { integrationId: [id], kind: query.kind, audit },
        listInput(query),
      );
      return c.json(presentPage(page, presentEvent), 200);
    })
    .openapi(routes.syncs, async (c) => {
      const { id } = c.req.valid('param');
      const query = c.req.valid('query');
      await exists(id);
      return c.json(presentPage(await stores.syncs.list(id, listInput(query)), presentSyncRun), 200);
    });
}
