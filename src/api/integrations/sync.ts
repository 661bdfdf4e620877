import { wake } from '../commands.ts';
import { found } from '../shared.ts';
import type { IntegrationRequest } from './integration-request.ts';

/** Starts a sync, or joins the open one. */
export async function syncNow({
  deps,
  requestId,
  id,
  acceptRemovals,
}: IntegrationRequest & { acceptRemovals: boolean }): Promise<{ syncId: string }> {
  const now = deps.now();
  const { syncId, wakes } = await deps.database.transaction(async (tx) => {
    found(await tx.integrations.lock(id), 'integration');
    const trigger = 'manual';
    const sync = await tx.syncs.open({ integrationId: id, trigger, acceptRemovals, requestId, now });
    return {
      syncId: sync.id,
      wakes: [await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })],
    };
  });
  await wake(deps, wakes);
  return { syncId };
}
