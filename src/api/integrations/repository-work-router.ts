import { SecuError } from '../../domain/errors.ts';
import { escapeForeignText } from '../../domain/finding.ts';
import type { ApiDeps } from '../deps.ts';
import { forRoleIdempotent } from '../middleware/idempotency.ts';
import {
  answers,
  createRoute,
  createRouter,
  forRole,
  idParam,
  jsonBody,
  requestOrigin,
  z,
} from '../shared.ts';
import { explainPath, repositoryPathOf } from './explain.ts';
import { previewFilters } from './preview-filters.ts';
import { scanAll } from './scan.ts';
import {
  ExplanationSchema,
  FiltersPreviewRequest,
  FiltersPreviewSchema,
  ScanRequest,
  SyncRequest,
} from './schemas.ts';
import { syncNow } from './sync.ts';

const tags = ['Integrations'];
const params = idParam('integration');

const previewFiltersRoute = createRoute({
  ...forRole('operator'),
  tags,
  method: 'post',
  path: '/integrations/{id}/filters/preview',
  summary: 'Preview the effect of filters',
  request: { params, ...jsonBody(FiltersPreviewRequest) },
  responses: answers(200, FiltersPreviewSchema, 'Counts and a sample', [404]),
});

const explainRoute = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/integrations/{id}/explain',
  summary: 'Explain why a repository is listed or not',
  request: { params, query: z.strictObject({ path: z.string().min(1).max(2_000) }) },
  responses: answers(200, ExplanationSchema, 'The reason', [404, 503]),
});

const syncRoute = (deps: ApiDeps) =>
  createRoute({
    ...forRoleIdempotent('operator', deps),
    tags,
    method: 'post',
    path: '/integrations/{id}/sync',
    summary: 'Sync repositories now; joins a running sync',
    request: { params, ...jsonBody(SyncRequest, { required: false }) },
    responses: answers(202, z.object({ syncId: z.string() }), 'Queued', [404]),
  });

const scanRoute = (deps: ApiDeps) =>
  createRoute({
    ...forRoleIdempotent('operator', deps),
    tags,
    method: 'post',
    path: '/integrations/{id}/scan',
    summary: 'Scan every repository',
    request: { params, ...jsonBody(ScanRequest, { required: false }) },
    responses: answers(202, z.object({ queued: z.int() }), 'Queued', [404]),
  });

/** Syncs and scans the repositories of an integration, and explains what is listed. */
export function createRepositoryWorkRouter(deps: ApiDeps) {
  return createRouter()
    .openapi(syncRoute(deps), async (c) => {
      const { id } = c.req.valid('param');
      const acceptRemovals = c.req.valid('json')?.acceptRemovals ?? false;
      if (acceptRemovals && c.get('principal').role !== 'admin')
        throw new SecuError('forbidden', 'acceptRemovals requires the role admin');
      return c.json(await syncNow({ deps, ...requestOrigin(c), id, acceptRemovals }), 202);
    })
    .openapi(previewFiltersRoute, async (c) => {
      const { filters } = c.req.valid('json');
      return c.json(await previewFilters({ deps, id: c.req.valid('param').id, filters }), 200);
    })
    .openapi(explainRoute, async (c) => {
      const path = repositoryPathOf(c.req.valid('query').path);
      const explanation = await explainPath({ deps, id: c.req.valid('param').id, path });
      return c.json({ ...explanation, path: escapeForeignText(explanation.path) }, 200);
    })
    .openapi(scanRoute(deps), async (c) => {
      const { id } = c.req.valid('param');
      const full = c.req.valid('json')?.full ?? false;
      return c.json(await scanAll({ deps, ...requestOrigin(c), id, full }), 202);
    });
}
