import { newId } from '../../db/new-id.ts';
import type { RotationFailure } from '../../domain/rotation.ts';
import { expiryDate } from '../../domain/token-expiry.ts';
import type { RotationDeps } from '../deps.ts';
import { failedEvent } from './outcomes.ts';
import type { RotationOrder } from './prepare-rotation.ts';
import type { RotationResult } from './result.ts';

/** Reasons that pass within minutes. They publish no event. */
const TRANSIENT: ReadonlySet<RotationFailure> = new Set(['rotation_busy', 'shutting_down']);

/**
 * Ends a rotation without asking GitLab. An automatic rotation is tried again later; its event is published once
 * per reason.
 */
export async function declineRotation(
  deps: RotationDeps,
  order: RotationOrder,
  code: RotationFailure,
): Promise<RotationResult> {
  const { integrationId, commandId, trigger, now } = order;
  const attemptId = newId('rotation');
  await deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(integrationId);
    const credential = await tx.credentials.current(integrationId);
    if (commandId !== null)
      await tx.commands.finish({ id: commandId, kind: 'rotate', result: { code }, now });
    if (row === null || credential === null) return;
    const last = await tx.rotations.last(integrationId);
    if (trigger === 'auto') {
      await tx.rotations.add({
        id: attemptId,
        integrationId,
        credentialId: credential.id,
        newCredentialId: credential.id,
        newVersion: credential.version,
        oldTokenId: credential.gitlabTokenId,
        tokenName: null,
        workerId: deps.journal.workerId,
        origin: new URL(row.baseUrl).origin,
        trigger,
        commandId,
        state: 'refused',
        code,
        expiresOn: expiryDate(credential.expiry) ?? '',
        now,
      });
    }
    const isNews = trigger !== 'auto' || (!TRANSIENT.has(code) && last?.code !== code);
    if (!isNews) return;
    const event = failedEvent(row, code);
    const data = { ...event.data, attemptId };
    await tx.events.add([{ ...event, integrationId, actor: 'system', data }], now);
  });
  return { code, attemptId };
}
