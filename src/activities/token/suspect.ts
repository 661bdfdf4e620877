import { sendWakes } from '../../db/wakes.ts';
import { MAX_PROMPTED_VERIFICATIONS_PER_HOUR } from '../../domain/scan-retry.ts';
import type { ActivityDeps } from '../deps.ts';

const HOUR_MS = 3_600_000;

/**
 * Records that a token that worked was refused: it starts no more clones, and a verification starts now. Only that
 * verification decides.
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
    await tx.integrations.changeLocked(
      integrationId,
      { suspectedAt: row.suspectedAt ?? now, nextVerifyAt: now },
      now,
    );
    return [await tx.outbox.add({ kind: 'wake_integration', integrationId, now })];
  });
  await sendWakes(deps, wakes);
}

/**
 * Verifies soon after git did not answer for one repository, so that a real outage appears on the integration and
 * its scans wait. Limited per hour, so that one broken repository does not cause endless verifications.
 */
export async function verifySoonAfterOutage(input: {
  deps: Pick<ActivityDeps, 'database' | 'starters'>;
  integrationId: string;
  now: Date;
}): Promise<void> {
  const { deps, integrationId, now } = input;
  const wakes = await deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(integrationId);
    if (row === null || row.reachability === 'unreachable') return [];
    const since = row.promptedSince;
    const isSameHour = since !== null && now.getTime() - since.getTime() < HOUR_MS;
    const count = isSameHour ? row.promptedChecks : 0;
    if (count >= MAX_PROMPTED_VERIFICATIONS_PER_HOUR) return [];
    const promptedSince = isSameHour ? since : now;
    const prompted = { promptedChecks: count + 1, promptedSince };
    await tx.integrations.changeLocked(integrationId, { nextVerifyAt: now, ...prompted }, now);
    return [await tx.outbox.add({ kind: 'wake_integration', integrationId, now })];
  });
  await sendWakes(deps, wakes);
}
