import { FINDING_KINDS, FINDING_STATUSES, SEVERITIES } from '../../domain/finding.ts';
import type { ApiDeps } from '../deps.ts';
import {
  answers,
  commaList,
  commaListOf,
  createRoute,
  createRouter,
  forRole,
  found,
  idParam,
  listInput,
  listParams,
  pageSchema,
  presentPage,
  z,
} from '../shared.ts';
import { presentFinding } from './present.ts';
import { FindingSchema } from './schemas.ts';

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
  summary: 'Findings, most severe first',
  request: {
    query: z.strictObject({
      ...listParams,
      sort: z.enum(SORTS).optional(),
      integrationId: commaList,
      repositoryId: commaList,
      status: commaListOf(FINDING_STATUSES),
      severity: commaListOf(SEVERITIES),
      kind: commaListOf(FINDING_KINDS),
      q: z.string().max(200).optional(),
    }),
  },
  responses: answers(200, pageSchema(FindingSchema, 'FindingPage'), 'A page'),
});

const get = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/findings/{id}',
  summary: 'One finding',
  request: { params: idParam('finding') },
  responses: answers(200, FindingSchema, 'The finding', [404]),
});

export function createFindingsRouter(deps: ApiDeps) {
  const { findingViews } = deps.database.stores;
  return createRouter()
    .openapi(list, async (c) => {
      const query = c.req.valid('query');
      return c.json(presentPage(await findingViews.list(query, listInput(query)), presentFinding), 200);
    })
    .openapi(get, async (c) => {
      const view = found(await findingViews.find(c.req.valid('param').id), 'finding');
      return c.json(presentFinding(view), 200);
    });
}
