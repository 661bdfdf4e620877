import { publishQueuedScans } from '../../db/publish-queued-scans.ts';
import { SecuError } from '../../domain/errors.ts';
import { REPOSITORY_STATES } from '../../domain/repository.ts';
import { wake } from '../commands.ts';
import type { ApiDeps, RequestOrigin } from '../deps.ts';
import { ScanRequest } from '../integrations/schemas.ts';
import { forRoleIdempotent } from '../middleware/idempotency.ts';
import { presentScan } from '../scans/present.ts';
import { ScanSchema } from '../scans/schemas.ts';
import {
  answers,
  commaList,
  commaListOf,
  createRoute,
  createRouter,
  forRole,
  found,
  idParam,
  integrationAuditEvent,
  jsonBody,
  listInput,
  listParams,
  pageSchema,
  presentPage,
  requestOrigin,
  z,
} from '../shared.ts';
import { repositoryPresenter } from './present.ts';
import { RepositorySchema } from './schemas.ts';

const params = idParam('repository');
const tags = ['Repositories'];
const reads = forRole('viewer');

const list = createRoute({
  ...reads,
  tags,
  method: 'get',
  path: '/repositories',
  summary: 'List repositories',
  request: {
    query: z.strictObject({
      ...listParams,
      sort: z.enum(['fullPath', '-fullPath', 'lastActivityAt', '-lastActivityAt']).optional(),
      integrationId: commaList,
      state: commaListOf(REPOSITORY_STATES),
      q: z.string().max(200).optional(),
    }),
  },
  responses: answers(200, pageSchema(RepositorySchema, 'RepositoryPage'), 'A page'),
});

const get = createRoute({
  ...reads,
  tags,
  method: 'get',
  path: '/repositories/{id}',
  summary: 'Get a repository',
  request: { params },
  responses: answers(200, RepositorySchema, 'The repository', [404]),
});

const scans = createRoute({
  ...reads,
  tags,
  method: 'get',
  path: '/repositories/{id}/scans',
  summary: 'List scans of a repository, newest first',
  request: { params, query: z.strictObject(listParams) },
  responses: answers(200, pageSchema(ScanSchema, 'ScanPage'), 'A page', [404]),
});

export function createRepositoriesRouter(deps: ApiDeps) {
  const { stores } = deps.database;
  const present = repositoryPresenter(deps.settings);
  const scan = createRoute({
    ...forRoleIdempotent('operator', deps),
    tags,
    method: 'post',
    path: '/repositories/{id}/scan',
    summary: 'Scan a repository now; joins an active scan',
    request: { params, ...jsonBody(ScanRequest, { required: false }) },
    responses: answers(202, z.object({ scanId: z.string() }), 'Queued', [404, 409]),
  });
  return createRouter()
    .openapi(list, async (c) => {
      const query = c.req.valid('query');
      return c.json(presentPage(await stores.repositories.list(query, listInput(query)), present), 200);
    })
    .openapi(get, async (c) => {
      const view = found(await stores.repositories.findView(c.req.valid('param').id), 'repository');
      return c.json(present(view), 200);
    })
    .openapi(scans, async (c) => {
      const { id } = c.req.valid('param');
      const query = c.req.valid('query');
      found(await stores.repositories.findView(id), 'repository');
      return c.json(presentPage(await stores.scanViews.list(id, listInput(query)), presentScan), 200);
    })
    .openapi(scan, async (c) => {
      const { id } = c.req.valid('param');
      const full = c.req.valid('json')?.full ?? false;
      return c.json(await requestScan({ deps, ...requestOrigin(c), id, full }), 202);
    });
}

async function requestScan(
  input: RequestOrigin & { deps: ApiDeps; id: string; full: boolean },
): Promise<{ scanId: string }> {
  const { deps, requestId, id, full } = input;
  const now = deps.now();
  const { scanId, wakes } = await deps.database.transaction(async (tx) => {
    const { integrationId, fullPath, state, excludedBecause } = found(
      await tx.repositories.findView(id),
      'repository',
    );
    if (state !== 'active') {
      const why = excludedBecause === null ? state : `${state}: ${excludedBecause}`;
      throw new SecuError('invalid_request', `this repository is not scanned (${why})`);
    }
    const scanId = await tx.scans.requestScan({ repositoryId: id, full, requestId, now });
    const text = `A scan of ${fullPath} was requested.`;
    const data = { full, scanId };
    const event = { kind: 'request.scan', integrationId, repositoryId: id, text, data } as const;
    await tx.events.add([integrationAuditEvent(input, event)], now);
    const fleet = await publishQueuedScans({ tx, integrationId, repositoryId: id, queued: 1, now });
    return { scanId, wakes: [fleet] };
  });
  await wake(deps, wakes);
  return { scanId };
}
