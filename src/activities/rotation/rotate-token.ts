import type { RotationDeps } from '../deps.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { addRequestIdToLog } from '../log-request-id.ts';
import { declineRotation } from './decline-rotation.ts';
import { handleAnswer } from './handle-answer.ts';
import { keepOldToken } from './outcomes.ts';
import type { RotationOrder } from './prepare-rotation.ts';
import { prepareRotation } from './prepare-rotation.ts';
import { recordIntent } from './record-intent.ts';
import { requestRotation } from './request-rotation.ts';
import type { RotationResult } from './result.ts';

export interface RotateInput {
  integrationId: string;
  /** `null`: an automatic rotation. */
  commandId: string | null;
  nowMs: number;
}

/** An older intent is not sent: the process was delayed. */
const MAX_INTENT_AGE_MS = 30_000;

/**
 * Runs the whole protocol once: prepare, record the intent, ask GitLab, journal the answer, store it, verify. Each
 * step is durable before the next. It is never retried and runs on the queue of one worker. `resolveRotation`
 * resolves what it leaves open, without asking GitLab to rotate again.
 */
export function createRotateToken(deps: RotationDeps) {
  return async function rotateToken(input: RotateInput): Promise<RotationResult> {
    const order = await readOrder(deps, input);
    // the cancel signal is ignored: a rotation that has started must finish
    return withHeartbeat(
      () => null,
      () => runRotation(deps, order),
    );
  };
}

async function readOrder(deps: RotationDeps, input: RotateInput): Promise<RotationOrder> {
  const { integrationId, commandId, nowMs } = input;
  const { commands } = deps.database.stores;
  const command = commandId === null ? null : await commands.find({ id: commandId, kind: 'rotate' });
  addRequestIdToLog(deps.log, command?.requestId);
  return {
    integrationId,
    commandId,
    trigger: command === null ? 'auto' : command.payload.force ? 'force' : 'asked',
    wantedExpiry: command?.payload.expiresAt ?? null,
    now: new Date(nowMs),
  };
}

async function runRotation(deps: RotationDeps, order: RotationOrder): Promise<RotationResult> {
  const { now } = order;
  const prepared = await prepareRotation(deps, order);
  if (typeof prepared === 'string') return declineRotation(deps, order, prepared);
  await deps.onStep('prepared');
  const startedMs = performance.now();
  const attempt = await recordIntent(deps, order, prepared);
  if (typeof attempt === 'string') return declineRotation(deps, order, attempt);
  await deps.onStep('intent');
  if (performance.now() - startedMs > MAX_INTENT_AGE_MS)
    return keepOldToken({ deps, attempt, code: 'too_late', now });
  const answer = await requestRotation(deps, { attempt, api: prepared.api, now });
  return handleAnswer(deps, { attempt, now }, answer);
}
