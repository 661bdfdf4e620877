import { REPOSITORY_STATES } from '../../domain/repository.ts';
import type { ApiDeps } from '../deps.ts';
import { presentEvent } from '../events/present.ts';
import { EventSchema } from '../events/schemas.ts';
import { repositoryPresenter } from '../repositories/present.ts';
import { RepositorySchema } from '../repositories/schemas.ts';
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
import { presentSyncRun } from './present.ts';
import { SyncRunSchema } from './schemas.ts';

const tags = ['Integrations'];
const params = idParam('integration');

const repositoriesRoute = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/integrations/{id}/repositories',
  summary: 'List repositories of an integration',
  request: {
    params,
    query: z.strictObject({
      ...listParams,
      sort: z.enum(['fullPath', '-fullPath', 'lastActivityAt', '-lastActivityAt']).optional(),
      state: commaListOf(REPOSITORY_STATES),
      q: z.string().max(200).optional(),
    }),
  },
  responses: answers(200, pageSchema(RepositorySchema, 'RepositoryPage'), 'A page', [404]),
});

const eventsRoute = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/integrations/{id}/events',
  summary: 'List events of an integration, newest first',
  request: { params, query: z.strictObject({ ...listParams, kind: commaList }) },
  responses: answers(200, pageSchema(EventSchema, 'EventPage'), 'A page', [404]),
});

const syncsRoute = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/integrations/{id}/syncs',
  summary: 'List syncs of an integration, newest first',
  request: { params, query: z.strictObject(listParams) },
  responses: answers(200, pageSchema(SyncRunSchema, 'SyncRunPage'), 'A page', [404]),
});

/** Repositories, events and syncs of one integration. */
export function createListsRouter(deps: ApiDeps) {
  const { stores } = deps.database;
  return createRouter()
    .openapi(repositoriesRoute, async (c) => {
      const { id } = c.req.valid('param');
      const query = c.req.valid('query');
      await assertExists(deps, id);
      const page = await stores.repositories.list({ ...query, integrationId: [id] }, listInput(query));
      return c.json(presentPage(page, repositoryPresenter(deps.settings)), 200);
    })
    .openapi(eventsRoute, async (c) => {
      const { id } = c.req.valid('param');
      const query = c.req.valid('query');
      await assertExists(deps, id);
      const audit = c.get('principal').role === 'admin';
      const page = await stores.events.list(
        { integrationId: [id], kind: query.kind, audit },
        listInput(query),
      );
      return c.json(presentPage(page, presentEvent), 200);
    })
    .openapi(syncsRoute, async (c) => {
      const { id } = c.req.valid('param');
      const query = c.req.valid('query');
      await assertExists(deps, id);
      return c.json(presentPage(await stores.syncs.list(id, listInput(query)), presentSyncRun), 200);
    });
}

/** @throws SecuError `not_found` */
async function assertExists({ database }: ApiDeps, id: string): Promise<void> {
  found(await database.stores.integrations.find(id), 'integration');
}
