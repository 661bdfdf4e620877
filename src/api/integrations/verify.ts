import { awaitCommand, COMMAND_TIMEOUT_MS, wake } from '../commands.ts';
import { found } from '../shared.ts';
import type { IntegrationRequest } from './integration-request.ts';

/** Verifies the token now. @returns false on timeout; the verification continues in the background */
export async function verifyNow({ deps, requestId, id }: IntegrationRequest): Promise<boolean> {
  const now = deps.now();
  const { commandId, wakes } = await deps.database.transaction(async (tx) => {
    found(await tx.integrations.find(id), 'integration');
    return {
      commandId: await tx.commands.add({ integrationId: id, kind: 'verify', requestId, now }),
      wakes: [await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })],
    };
  });
  const { sent } = await wake(deps, wakes);
  if (sent === 0) return false;
  return (await awaitCommand({ ...deps, kind: 'verify', commandId, timeoutMs: COMMAND_TIMEOUT_MS })) !== null;
}
