import { publishQueuedScans } from '../../db/publish-queued-scans.ts';
import { wake } from '../commands.ts';
import { found, integrationAuditEvent } from '../shared.ts';
import type { IntegrationRequest } from './integration-request.ts';

/** Queues a scan of every active repository. */
export async function scanAll(input: IntegrationRequest & { full: boolean }): Promise<{ queued: number }> {
  const { deps, requestId, id, full } = input;
  const now = deps.now();
  const { queued, wakes } = await deps.database.transaction(async (tx) => {
    const { name } = found(await tx.integrations.lock(id), 'integration');
    const queued = await tx.scans.queueAll({ integrationId: id, full, requestId, now });
    const text = `A scan of every repository of ${name} was requested.`;
    const data = { full, queued };
    await tx.events.add(
      [integrationAuditEvent(input, { kind: 'request.scan', integrationId: id, text, data })],
      now,
    );
    return { queued, wakes: [await publishQueuedScans({ tx, integrationId: id, queued, now })] };
  });
  await wake(deps, wakes);
  return { queued };
}
