import { sleep } from '@temporalio/workflow';
import { verification } from './proxies.ts';

const SECOND_VERIFICATION_AFTER = '5s';

/**
 * The first refusal of a token that worked is verified a second time before anyone is notified. The row has a deadline
 * for it too (`CONFIRM_REFUSAL_AFTER_MS`), for the case that this workflow ends in between.
 */
export async function verify(integrationId: string, commandId: string | null): Promise<void> {
  const first = await verification().verifyToken({ integrationId, commandId, nowMs: Date.now() });
  if (!first.suspicion) return;
  await sleep(SECOND_VERIFICATION_AFTER);
  await verification().verifyToken({ integrationId, commandId, nowMs: Date.now() });
}
