import { wake } from '../commands.ts';
import { actorOf } from '../middleware/authenticate.ts';
import { found, integrationAuditEvent } from '../shared.ts';
import type { IntegrationRequest } from './integration-request.ts';

/** Wipes the token in this transaction, even when Temporal is unavailable; workflows, scans and rows are removed afterwards. */
export async function removeIntegration(input: IntegrationRequest): Promise<void> {
  const { deps, principal, requestId, id } = input;
  const now = deps.now();
  const wakes = await deps.database.transaction(async (tx) => {
    const row = found(await tx.integrations.lock(id), 'integration');
    found((await tx.integrations.remove({ id, now })) || null, 'integration');
    await tx.credentials.wipeAll({ integrationId: id, now });
    await tx.hooks.remove(id);
    await tx.events.add(
      [
        {
          kind: 'integration.removed',
          integrationId: id,
          actor: actorOf(principal),
          text: `${row.name} was removed.`,
          data: { requestId },
        },
        integrationAuditEvent(input, {
          kind: 'request.removal',
          integrationId: id,
          text: `The removal of ${row.name} was requested.`,
        }),
      ],
      now,
    );
    return [await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })];
  });
  await wake(deps, wakes);
}
