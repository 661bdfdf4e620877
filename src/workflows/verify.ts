import { sleep } from '@temporalio/workflow';
import { verification } from './proxies.ts';

const SECOND_VERIFICATION_AFTER = '5s';

/**
 * Verifies a token. The first refusal of a token that worked is verified a second time before anyone is notified.
 * The row also stores a deadline for that (`CONFIRM_REFUSAL_AFTER_MS`), in case this workflow ends before.
 */
export async function verify(integrationId: string, commandId: string | null): Promise<void> {
  const first = await verification().verifyToken({ integrationId, commandId, nowMs: Date.now() });
  if (!first.suspicion) return;
  await sleep(SECOND_VERIFICATION_AFTER);
  await verification().verifyToken({ integrationId, commandId, nowMs: Date.now() });
}
