import { newId } from '../../db/new-id.ts';
import type { RotationRow } from '../../db/stores/rotations.ts';
import type { RotationBlock } from '../../domain/rotation.ts';
import type { RotationDeps } from '../deps.ts';
import type { PreparedRotation, RotationOrder } from './prepare-rotation.ts';

/** An older attempt at the same GitLab does not block others. */
const BUSY_FOR_MS = 3 * 60_000;

/** Step 2: records the intent. After its commit, the owner of the attempt may ask GitLab once. */
export async function recordIntent(
  deps: RotationDeps,
  order: RotationOrder,
  prepared: PreparedRotation,
): Promise<RotationRow | RotationBlock> {
  const { integration, credential, expiresOn } = prepared;
  const { integrationId, commandId, trigger, now } = order;
  const id = newId('rotation');
  const { origin } = new URL(integration.baseUrl);
  return deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(integrationId);
    const current = await tx.credentials.current(integrationId);
    if (row === null || current?.id !== credential.id) return 'token_changed';
    if ((await tx.rotations.open(integrationId)) !== null) return 'rotation_in_doubt';
    const since = new Date(now.getTime() - BUSY_FOR_MS);
    if (await tx.rotations.isBusy({ origin, since })) return 'rotation_busy';
    if (deps.isDraining()) return 'shutting_down';
    await tx.rotations.add({
      id,
      integrationId,
      credentialId: credential.id,
      newCredentialId: newId('credential'),
      newVersion: await tx.credentials.nextVersion(integrationId),
      oldTokenId: credential.gitlabTokenId,
      tokenName: credential.tokenName,
      workerId: deps.journal.workerId,
      origin,
      trigger,
      commandId,
      state: 'intent',
      code: null,
      expiresOn,
      now,
    });
    return (await tx.rotations.find(id)) ?? 'database_not_writable';
  });
}
