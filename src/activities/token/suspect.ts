import type { IntegrationChange, IntegrationRow } from '../../db/stores/integrations.ts';
import { sendWakes } from '../../db/wakes.ts';
import { MAX_PROMPTED_VERIFICATIONS_PER_HOUR } from '../../domain/scan-retry.ts';
import type { ActivityDeps } from '../deps.ts';

const HOUR_MS = 3_600_000;

interface PromptInput {
  deps: Pick<ActivityDeps, 'database' | 'starters'>;
  integrationId: string;
  now: Date;
}

/**
 * Records that a token that worked was refused: it starts no more clones, and a verification starts now. Only that
 * verification decides.
 */
export async function suspectToken(input: PromptInput): Promise<void> {
  await promptVerification(input, (row) =>
    row.verdict === 'active' ? { suspectedAt: row.suspectedAt ?? input.now } : null,
  );
}

/**
 * Verifies soon after git did not answer for one repository, so that a real outage appears on the integration and
 * its scans wait. Limited per hour, so that one broken repository does not cause endless verifications.
 */
export async function verifySoonAfterOutage(input: PromptInput): Promise<void> {
  await promptVerification(input, (row) =>
    row.reachability === 'unreachable' ? null : countPrompt(row, input.now),
  );
}

/** The counter of this hour, one higher; `null` when it has reached its limit. */
function countPrompt(
  { promptedSince, promptedChecks }: IntegrationRow,
  now: Date,
): Pick<IntegrationChange, 'promptedChecks' | 'promptedSince'> | null {
  if (promptedSince === null || now.getTime() - promptedSince.getTime() >= HOUR_MS)
    return { promptedChecks: 1, promptedSince: now };
  if (promptedChecks >= MAX_PROMPTED_VERIFICATIONS_PER_HOUR) return null;
  return { promptedChecks: promptedChecks + 1, promptedSince };
}

/** Makes the next verification due now, with this change of the row; `null` changes nothing. */
async function promptVerification(
  { deps, integrationId, now }: PromptInput,
  toChange: (row: IntegrationRow) => IntegrationChange | null,
): Promise<void> {
  const wakes = await deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(integrationId);
    const change = row === null ? null : toChange(row);
    if (change === null) return [];
    await tx.integrations.changeLocked(integrationId, { ...change, nextVerifyAt: now }, now);
    return [await tx.outbox.add({ kind: 'wake_integration', integrationId, now })];
  });
  await sendWakes(deps, wakes);
}
