import { isSecuError } from '../../domain/errors.ts';
import type { ApiDeps } from '../deps.ts';
import {
  answers,
  createRoute,
  createRouter,
  forRole,
  found,
  idParam,
  integrationAuditEvent,
  requestOrigin,
} from '../shared.ts';
import { presentScan } from './present.ts';
import { ScanSchema } from './schemas.ts';

const params = idParam('scan');
const tags = ['Scans'];

const get = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/scans/{id}',
  summary: 'Get a scan',
  request: { params },
  responses: answers(200, ScanSchema, 'The scan', [404]),
});

const cancel = createRoute({
  ...forRole('operator'),
  tags,
  method: 'post',
  path: '/scans/{id}/cancel',
  summary: 'Cancel a scan; takes effect within 5 s',
  request: { params },
  responses: answers(202, ScanSchema, 'The current state of the scan', [404]),
});

export function createScansRouter(deps: ApiDeps) {
  const { stores } = deps.database;
  return createRouter()
    .openapi(get, async (c) => {
      const view = found(await stores.scanViews.find(c.req.valid('param').id), 'scan');
      return c.json(presentScan(view), 200);
    })
    .openapi(cancel, async (c) => {
      const { id } = c.req.valid('param');
      const before = found(await stores.scanViews.find(id), 'scan');
      const { repositoryId } = before;
      const now = deps.now();
      const answer = await deps.database.transaction(async (tx) => {
        const { integrationId, fullPath } = found(await tx.repositories.findView(repositoryId), 'repository');
        const text = `Canceling a scan of ${fullPath} was requested.`;
        const data = { scanId: id, before: { status: before.status } };
        const kind = 'request.scan_cancel';
        const event = { kind, integrationId, repositoryId, text, data } as const;
        await tx.events.add([integrationAuditEvent(requestOrigin(c), event)], now);
        return tx.scans.requestCancel({ id, now });
      });
      if (answer === 'requested') await cancelRunning(deps, repositoryId);
      return c.json(presentScan(found(await stores.scanViews.find(id), 'scan')), 202);
    });
}

/** When Temporal is unavailable, the worker reads the request from the row at its next phase. */
async function cancelRunning({ starters }: ApiDeps, repositoryId: string): Promise<void> {
  try {
    await starters.cancelScan(repositoryId);
  } catch (err) {
    if (!isSecuError(err, 'temporal_unavailable')) throw err;
  }
}
