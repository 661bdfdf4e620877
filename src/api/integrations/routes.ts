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
      summary: 'Create an integration: seal the token, store it, verify it',
      request: jsonBody(NewIntegration),
      responses: answers(201, IntegrationSchema, 'Stored, whatever the verdict', [409, 422]),
    }),
    test: createRoute({
      ...operates,
      tags,
      method: 'post',
      path: '/integrations/test',
      summary: 'Test a token without storing anything',
      request: jsonBody(NewIntegration),
      responses: answers(200, DryRunSchema, 'The result of each check'),
    }),
    tokenLink: createRoute({
      ...reads,
      tags,
      method: 'get',
      path: '/integrations/token-link',
      summary: "A link to GitLab's token form with the fields filled in",
      request: { query: TokenLinkQuery },
      responses: answers(200, TokenLinkSchema, 'The link'),
    }),
    list: createRoute({
      ...reads,
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
    }),
    get: createRoute({
      ...reads,
      tags,
      method: 'get',
      path: '/integrations/{id}',
      summary: 'Get an integration',
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
      responses: answers(200, IntegrationSchema, 'The changed integration', [404, 409, 422]),
    }),
    replaceToken: createRoute({
      ...operates,
      tags,
      method: 'put',
      path: '/integrations/{id}/token',
      summary: 'Replace the token after verifying the new one',
      request: { params, ...jsonBody(NewToken) },
      responses: {
        ...answers(200, IntegrationSchema, 'Replaced', [404, 409, 422]),
        202: {
          description: 'Still running; its outcome will be an event',
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
      summary: 'Rotate the token in GitLab',
      request: { params, ...jsonBody(RotateRequest, { required: false }) },
      responses: {
        ...answers(200, IntegrationSchema, 'Rotated', [404, 409]),
        202: {
          description: 'Still running; its outcome will be an event',
          content: { 'application/json': { schema: IntegrationSchema } },
        },
      },
    }),
    verify: createRoute({
      ...starts,
      tags,
      method: 'post',
      path: '/integrations/{id}/verify',
      summary: 'Verify the token now',
      request: { params },
      responses: {
        ...answers(200, IntegrationSchema, 'Verified', [404]),
        202: {
          description: 'Still running; its outcome will be an event',
          content: { 'application/json': { schema: IntegrationSchema } },
        },
      },
    }),
    sync: createRoute({
      ...starts,
      tags,
      method: 'post',
      path: '/integrations/{id}/sync',
      summary: 'Sync repositories now; joins a running sync',
      request: { params, ...jsonBody(SyncRequest, { required: false }) },
      responses: answers(202, z.object({ syncId: z.string() }), 'Queued', [404]),
    }),
    previewFilters: createRoute({
      ...operates,
      tags,
      method: 'post',
      path: '/integrations/{id}/filters/preview',
      summary: 'Preview the effect of filters',
      request: { params, ...jsonBody(FiltersPreviewRequest) },
      responses: answers(200, FiltersPreviewSchema, 'Counts and a sample', [404]),
    }),
    explain: createRoute({
      ...reads,
      tags,
      method: 'get',
      path: '/integrations/{id}/explain',
      summary: 'Explain why a repository is listed or not',
      request: { params, query: z.strictObject({ path: z.string().min(1).max(2_000) }) },
      responses: answers(200, ExplanationSchema, 'The reason', [404, 503]),
    }),
    scan: createRoute({
      ...starts,
      tags,
      method: 'post',
      path: '/integrations/{id}/scan',
      summary: 'Scan every repository',
      request: { params, ...jsonBody(ScanRequest, { required: false }) },
      responses: answers(202, z.object({ queued: z.int() }), 'Queued', [404]),
    }),
    remove: createRoute({
      ...forRole('admin'),
      tags,
      method: 'delete',
      path: '/integrations/{id}',
      summary: 'Delete an integration: wipe the token, remove all its data',
      request: { params },
      responses: { 204: { description: 'Removed' }, ...problemsOnly() },
    }),
    repositories: createRoute({
      ...reads,
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
    }),
    events: createRoute({
      ...reads,
      tags,
      method: 'get',
      path: '/integrations/{id}/events',
      summary: 'List events of an integration, newest first',
      request: { params, query: z.strictObject({ ...listParams, kind: commaList }) },
      responses: answers(200, pageSchema(EventSchema, 'EventPage'), 'A page', [404]),
    }),
    syncs: createRoute({
      ...reads,
      tags,
      method: 'get',
      path: '/integrations/{id}/syncs',
      summary: 'List syncs of an integration, newest first',
      request: { params, query: z.strictObject(listParams) },
      responses: answers(200, pageSchema(SyncRunSchema, 'SyncRunPage'), 'A page', [404]),
    }),
  };
}

function problemsOnly() {
  const { 200: _good, ...problems } = answers(200, z.null(), '', [404]);
  return problems;
}
