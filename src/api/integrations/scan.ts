import { publishQueuedScans } from '../../db/publish-queued-scans.ts';
import { wake } from '../commands.ts';
import { found } from '../shared.ts';
import type { IntegrationRequest } from './integration-request.ts';

/** Queues a scan of every active repository. */
export async function scanAll({
  deps,
  requestId,
  id,
  full,
}: IntegrationRequest & { full: boolean }): Promise<{ queued: number }> {
  const now = deps.now();
  const { queued, wakes } = await deps.database.transaction(async (tx) => {
    found(await tx.integrations.lock(id), 'integration');
    const queued = await tx.scans.queueAll({ integrationId: id, full, requestId, now });
    await publishQueuedScans({ tx, integrationId: id, queued, now });
    return { queued, wakes: [await tx.outbox.add({ kind: 'wake_fleet', integrationId: id, now })] };
  });
  await wake(deps, wakes);
  return { queued };
}
