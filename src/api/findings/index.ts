import type { ApiDeps } from '../deps.ts';
import {
  answers,
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
  requestOrigin,
  z,
} from '../shared.ts';
import { createExportRouter } from './export.ts';
import { presentFinding } from './present.ts';
import { FindingSchema, FindingSummarySchema, findingFilter, TriageMany, TriageOne } from './schemas.ts';
import { triage } from './triage.ts';

const tags = ['Findings'];
const SORTS = [
  'severity',
  '-severity',
  'firstSeenAt',
  '-firstSeenAt',
  'lastSeenAt',
  '-lastSeenAt',
  'path',
  '-path',
] as const;

const list = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/findings',
  summary: 'List findings, most severe first',
  request: {
    query: z.strictObject({
      ...listParams,
      sort: z.enum(SORTS).optional(),
      ...findingFilter,
    }),
  },
  responses: answers(200, pageSchema(FindingSchema, 'FindingPage'), 'A page'),
});

const get = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/findings/{id}',
  summary: 'Get a finding',
  request: { params: idParam('finding') },
  responses: answers(200, FindingSchema, 'The finding', [404]),
});

const summary = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/findings/summary',
  summary: 'Count matching findings: total, by severity, kind and status',
  request: { query: z.strictObject(findingFilter) },
  responses: answers(200, FindingSummarySchema, 'The counts'),
});

const change = createRoute({
  ...forRole('operator'),
  tags,
  method: 'patch',
  path: '/findings/{id}',
  summary: 'Ignore a finding with a reason, or reopen it',
  description: 'Fixed and removed findings do not change: the next scan decides about them.',
  request: { params: idParam('finding'), ...jsonBody(TriageOne) },
  responses: answers(200, FindingSchema, 'The finding', [404]),
});

const changeMany = createRoute({
  ...forRole('operator'),
  tags,
  method: 'post',
  path: '/findings/triage',
  summary: 'Ignore or reopen many findings, by ids or by filter',
  request: { ...jsonBody(TriageMany) },
  responses: answers(200, z.object({ changed: z.int() }), 'Number of changed findings'),
});

export function createFindingsRouter(deps: ApiDeps) {
  const { findingViews } = deps.database.stores;
  return createRouter()
    .openapi(list, async (c) => {
      const query = c.req.valid('query');
      return c.json(presentPage(await findingViews.list(query, listInput(query)), presentFinding), 200);
    })
    .openapi(summary, async (c) => c.json(await findingViews.summary(c.req.valid('query')), 200))
    .openapi(changeMany, async (c) => {
      const { ids, filter, ...verdict } = c.req.valid('json');
      const target = ids === undefined ? { filter: filter ?? {} } : { ids };
      return c.json({ changed: await triage({ deps, by: requestOrigin(c), target, verdict }) }, 200);
    })
    .openapi(change, async (c) => {
      const { id } = c.req.valid('param');
      found(await findingViews.find(id), 'finding');
      await triage({ deps, by: requestOrigin(c), target: { ids: [id] }, verdict: c.req.valid('json') });
      return c.json(presentFinding(found(await findingViews.find(id), 'finding')), 200);
    })
    .openapi(get, async (c) => {
      const view = found(await findingViews.find(c.req.valid('param').id), 'finding');
      return c.json(presentFinding(view), 200);
    })
    .route('/', createExportRouter(deps));
}
