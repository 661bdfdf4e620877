import { sendWakes } from '../../db/wakes.ts';
import type { ActivityDeps } from '../deps.ts';

/**
 * A token was refused where it worked before: nothing more is cloned with it, and it is verified now. That
 * verification, not this, decides.
 */
export async function suspectToken(input: {
  deps: Pick<ActivityDeps, 'database' | 'starters'>;
  integrationId: string;
  now: Date;
}): Promise<void> {
  const { deps, integrationId, now } = input;
  const wakes = await deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(integrationId);
    if (row === null || row.verdict !== 'active') return [];
    await tx.integrations.change(
      integrationId,
      { suspectedAt: row.suspectedAt ?? now, nextVerifyAt: now },
      now,
    );
    return [await tx.outbox.add({ kind: 'wake_integration', integrationId, now })];
  });
  await sendWakes(deps, wakes);
}

/** GitLab did not answer: verify now, so that the integration is seen to be unreachable and its scans wait. */
export async function verifySoonAfterOutage(input: {
  deps: Pick<ActivityDeps, 'database' | 'starters'>;
  integrationId: string;
  now: Date;
}): Promise<void> {
  const { deps, integrationId, now } = input;
  const wakes = await deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(integrationId);
    if (row === null || row.reachability === 'unreachable') return [];
    await tx.integrations.change(integrationId, { nextVerifyAt: now }, now);
    return [await tx.outbox.add({ kind: 'wake_integration', integrationId, now })];
  });
  await sendWakes(deps, wakes);
}
