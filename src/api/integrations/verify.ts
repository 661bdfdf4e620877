import { awaitCommand, COMMAND_TIMEOUT_MS, wake } from '../commands.ts';
import { found, integrationAuditEvent } from '../shared.ts';
import type { IntegrationRequest } from './integration-request.ts';

/** Verifies the token now. @returns false on timeout; the verification continues in the background */
export async function verifyNow(input: IntegrationRequest): Promise<boolean> {
  const { deps, requestId, id } = input;
  const now = deps.now();
  const { commandId, wakes } = await deps.database.transaction(async (tx) => {
    const { name } = found(await tx.integrations.find(id), 'integration');
    const text = `A verification of ${name} was requested.`;
    await tx.events.add(
      [integrationAuditEvent(input, { kind: 'request.verify', integrationId: id, text })],
      now,
    );
    return {
      commandId: await tx.commands.add({ integrationId: id, kind: 'verify', requestId, now }),
      wakes: [await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })],
    };
  });
  const { sent } = await wake(deps, wakes);
  if (sent === 0) return false;
  return (await awaitCommand({ ...deps, kind: 'verify', commandId, timeoutMs: COMMAND_TIMEOUT_MS })) !== null;
}
