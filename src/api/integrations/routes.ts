import { INTEGRATION_STATUSES } from '../../domain/integration.ts';
import { REPOSITORY_STATES } from '../../domain/repository.ts';
import type { ApiDeps } from '../deps.ts';
import { EventSchema } from '../events/schemas.ts';
import { requireRole } from '../middleware/authenticate.ts';
import { idempotent } from '../middleware/idempotency.ts';
import { RepositorySchema } from '../repositories/schemas.ts';
import {
  answers,
  commaList,
  commaListOf,
  createRoute,
  forRole,
  idParam,
  jsonBody,
  listParams,
  pageSchema,
  SECURITY,
  z,
} from '../shared.ts';
import {
  DryRunSchema,
  ExplanationSchema,
  FiltersPreviewRequest,
  FiltersPreviewSchema,
  IntegrationPatch,
  IntegrationSchema,
  NewIntegration,
  NewToken,
  RotateRequest,
  ScanRequest,
  SyncRequest,
  SyncRunSchema,
  TokenLinkQuery,
  TokenLinkSchema,
} from './schemas.ts';

const params = idParam('integration');
const tags = ['Integrations'];

export function integrationRoutes(deps: ApiDeps) {
  const starts = { middleware: [requireRole('operator'), idempotent(deps)], security: SECURITY };
  const operates = forRole('operator');
  const reads = forRole('viewer');
  return {
    create: createRoute({
      ...starts,
      tags,
      method: 'post',
      path: '/integrations',
      summary: 'Seals the token, stores, verifies',
      request: jsonBody(NewIntegration),
      responses: answers(201, IntegrationSchema, 'Stored, whatever the verdict', [409, 422]),
    }),
    test: createRoute({
      ...operates,
      tags,
      method: 'post',
      path: '/integrations/test',
      summary: 'Looks at a token and stores nothing',
      request: jsonBody(NewIntegration),
      responses: answers(200, DryRunSchema, 'What was observed, check by check'),
    }),
    tokenLink: createRoute({
      ...reads,
      tags,
      method: 'get',
      path: '/integrations/token-link',
      summary: "GitLab's own form for a token, filled in",
      request: { query: TokenLinkQuery },
      responses: answers(200, TokenLinkSchema, 'Its address'),
    }),
    list: createRoute({
      ...reads,
      tags,
      method: 'get',
      path: '/integrations',
      summary: 'All integrations',
      request: {
        query: z.strictObject({
          ...listParams,
          sort: z.enum(['createdAt', '-createdAt', 'name', '-name']).optional(),
          status: commaListOf(INTEGRATION_STATUSES),
          q: z.string().max(200).optional(),
        }),
      },
      responses: answers(200, pageSchema(IntegrationSchema, 'IntegrationPage'), 'A page'),
    }),
    get: createRoute({
      ...reads,
      tags,
      method: 'get',
      path: '/integrations/{id}',
      summary: 'One integration',
      request: { params },
      responses: answers(200, IntegrationSchema, 'The integration', [404]),
    }),
    patch: createRoute({
      ...operates,
      tags,
      method: 'patch',
      path: '/integrations/{id}',
      summary: 'Name, filters, pause',
      request: { params, ...jsonBody(IntegrationPatch) },
      responses: answers(200, IntegrationSchema, 'The integration as it is now', [404, 409, 422]),
    }),
    replaceToken: createRoute({
      ...operates,
      tags,
      method: 'put',
      path: '/integrations/{id}/token',
      summary: 'Verifies a new token and puts it in place of the old one',
      request: { params, ...jsonBody(NewToken) },
      responses: {
        ...answers(200, IntegrationSchema, 'Replaced', [404, 409, 422]),
        202: {
          description: 'Goes on; its outcome is an event',
          content: { 'application/json': { schema: IntegrationSchema } },
        },
      },
    }),
    rotate: createRoute({
      ...starts,
      middleware: [requireRole('admin'), idempotent(deps)],
      tags,
      method: 'post',
      path: '/integrations/{id}/rotate',
      summary: 'Asks GitLab for a new token in place of this one',
      request: { params, ...jsonBody(RotateRequest, { required: false }) },
      responses: {
        ...answers(200, IntegrationSchema, 'Rotated', [404, 409]),
        202: {
          description: 'Goes on; its outcome is an event',
          content: { 'application/json': { schema: IntegrationSchema } },
        },
      },
    }),
    verify: createRoute({
      ...starts,
      tags,
      method: 'post',
      path: '/integrations/{id}/verify',
      summary: 'Verifies now',
      request: { params },
      responses: {
        ...answers(200, IntegrationSchema, 'Verified', [404]),
        202: {
          description: 'Goes on; its outcome is an event',
          content: { 'application/json': { schema: IntegrationSchema } },
        },
      },
    }),
    sync: createRoute({
      ...starts,
      tags,
      method: 'post',
      path: '/integrations/{id}/sync',
      summary: 'Lists now; a running sync is joined',
      request: { params, ...jsonBody(SyncRequest, { required: false }) },
      responses: answers(202, z.object({ syncId: z.string() }), 'Queued', [404]),
    }),
    previewFilters: createRoute({
      ...operates,
      tags,
      method: 'post',
      path: '/integrations/{id}/filters/preview',
      summary: 'What other filters would change',
      request: { params, ...jsonBody(FiltersPreviewRequest) },
      responses: answers(200, FiltersPreviewSchema, 'Counts, and the first of them', [404]),
    }),
    explain: createRoute({
      ...reads,
      tags,
      method: 'get',
      path: '/integrations/{id}/explain',
      summary: 'Why a repository is listed or not',
      request: { params, query: z.strictObject({ path: z.string().min(1).max(2_000) }) },
      responses: answers(200, ExplanationSchema, 'The reason', [404, 503]),
    }),
    scan: createRoute({
      ...starts,
      tags,
      method: 'post',
      path: '/integrations/{id}/scan',
      summary: 'Scans every repository',
      request: { params, ...jsonBody(ScanRequest, { required: false }) },
      responses: answers(202, z.object({ queued: z.int() }), 'Queued', [404]),
    }),
    remove: createRoute({
      ...forRole('admin'),
      tags,
      method: 'delete',
      path: '/integrations/{id}',
      summary: 'Wipes the token and removes everything of it',
      request: { params },
      responses: { 204: { description: 'Removed' }, ...problemsOnly() },
    }),
    repositories: createRoute({
      ...reads,
      tags,
      method: 'get',
      path: '/integrations/{id}/repositories',
      summary: 'Its repositories',
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
    }),
    events: createRoute({
      ...reads,
      tags,
      method: 'get',
      path: '/integrations/{id}/events',
      summary: 'What happened to it, newest first',
      request: { params, query: z.strictObject({ ...listParams, kind: commaList }) },
      responses: answers(200, pageSchema(EventSchema, 'EventPage'), 'A page', [404]),
    }),
    syncs: createRoute({
      ...reads,
      tags,
      method: 'get',
      path: '/integrations/{id}/syncs',
      summary: 'Its syncs, newest first',
      request: { params, query: z.strictObject(listParams) },
      responses: answers(200, pageSchema(SyncRunSchema, 'SyncRunPage'), 'A page', [404]),
    }),
  };
}

function problemsOnly() {
  const { 200: _good, ...problems } = answers(200, z.null(), '', [404]);
  return problems;
}
