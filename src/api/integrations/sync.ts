import { wake } from '../commands.ts';
import { found, integrationAuditEvent } from '../shared.ts';
import type { IntegrationRequest } from './integration-request.ts';

/** Starts a sync, or joins the open one. */
export async function syncNow(
  input: IntegrationRequest & { acceptRemovals: boolean },
): Promise<{ syncId: string }> {
  const { deps, requestId, id, acceptRemovals } = input;
  const now = deps.now();
  const { syncId, wakes } = await deps.database.transaction(async (tx) => {
    const { name } = found(await tx.integrations.lock(id), 'integration');
    const trigger = 'manual';
    const sync = await tx.syncs.open({ integrationId: id, trigger, acceptRemovals, requestId, now });
    const event = acceptRemovals
      ? ({ kind: 'request.brake_release', text: `The brake of ${name} was released.` } as const)
      : ({ kind: 'request.sync', text: `A sync of ${name} was requested.` } as const);
    const data = { syncId: sync.id };
    await tx.events.add([integrationAuditEvent(input, { ...event, integrationId: id, data })], now);
    return {
      syncId: sync.id,
      wakes: [await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })],
    };
  });
  await wake(deps, wakes);
  return { syncId };
}
