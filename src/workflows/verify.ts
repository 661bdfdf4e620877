import { sleep } from '@temporalio/workflow';
import { verification } from './proxies.ts';

const CONFIRM_REFUSAL_AFTER = '5s';

/** A first "no" about a token that worked is looked at a second time before anybody is told. */
export async function verify(integrationId: string, commandId: string | null): Promise<void> {
  const first = await verification().verifyToken({ integrationId, commandId, nowMs: Date.now() });
  if (!first.suspicion) return;
  await sleep(CONFIRM_REFUSAL_AFTER);
  await verification().verifyToken({ integrationId, commandId, nowMs: Date.now() });
}
