import type { Stores } from '../../db/stores/index.ts';
import type { RotationRow } from '../../db/stores/rotations.ts';
import type { SelfObservation } from '../../domain/verification.ts';
import type { RotationDeps } from '../deps.ts';
import { addRequestIdToLog } from '../log-request-id.ts';
import { openToken } from '../token/credential.ts';
import { commitRotation, finishRotation, keepOldToken, recordLostRotation } from './outcomes.ts';
import type { RotationResult } from './result.ts';
import { endedResult, openResult } from './result.ts';

export interface ResolveRotationInput {
  integrationId: string;
  attemptId: string;
  /**
   * A person who requests a rotation while the outcome is in doubt; with `force`, a person who declares the
   * attempt lost.
   */
  commandId: string | null;
  nowMs: number;
}

const CHECK_AGAIN_MS = 60_000;
const CHECK_ABSENT_OWNER_MS = 10 * 60_000;
/** How long to wait for the worker whose journal may hold the answer. */
const OWNER_LOST_AFTER_MS = 24 * 3_600_000;

/**
 * Finds the outcome of an open attempt: first in the journal, then by checking the old token at GitLab. Decides
 * only what is certain, and never asks GitLab to rotate.
 */
export function createResolveRotation(deps: RotationDeps) {
  return async function resolveRotation(input: ResolveRotationInput): Promise<RotationResult> {
    const now = new Date(input.nowMs);
    const { stores } = deps.database;
    const attempt = await stores.rotations.find(input.attemptId);
    if (attempt === null) return { attemptId: input.attemptId, code: 'not_found' };
    const { commandId } = input;
    const command = commandId === null ? null : await stores.commands.find({ id: commandId, kind: 'rotate' });
    addRequestIdToLog(deps.log, command?.requestId);
    const declaredLost = command?.payload.force === true;
    const result = await resolveOpenAttempt({ deps, attempt, declaredLost, now });
    const { code } = result;
    await finishCommand(attempt.commandId, code);
    await finishCommand(commandId, code === 'in_doubt' ? 'rotation_in_doubt' : code);
    return result;

    async function finishCommand(id: string | null, outcome: RotationResult['code']): Promise<void> {
      if (id !== null) await stores.commands.finish({ id, kind: 'rotate', result: { code: outcome }, now });
    }
  };
}

interface OpenAttempt {
  deps: RotationDeps;
  attempt: RotationRow;
  declaredLost: boolean;
  now: Date;
}

async function resolveOpenAttempt({
  deps,
  attempt,
  declaredLost,
  now,
}: OpenAttempt): Promise<RotationResult> {
  if (attempt.state === 'committed') return verifyNewToken({ deps, attempt, now });
  if (attempt.state !== 'intent') return endedResult(attempt);
  const { stores } = deps.database;
  const entry = await deps.journal.read(attempt.id);
  if (entry !== null) {
    await commitRotation({ deps, attempt, entry, now });
    const committed = await stores.rotations.find(attempt.id);
    return committed?.state === 'committed'
      ? verifyNewToken({ deps, attempt: committed, now })
      : openResult(attempt, 'in_doubt');
  }
  const old = await stores.credentials.find(attempt.credentialId);
  const integration = await stores.integrations.find(attempt.integrationId);
  if (old === null || old.state !== 'current' || integration === null) {
    return supersede(stores, attempt, { from: 'intent', now });
  }
  // GitLab bans addresses that clone with a dead token
  const suspectedAt = integration.suspectedAt ?? now;
  if (!(await stores.integrations.change(integration.id, { suspectedAt }, now)))
    return { code: 'not_found', attemptId: attempt.id };
  const api = deps.gitlab.forToken({
    baseUrl: integration.baseUrl,
    token: openToken({ vault: deps.vault, credential: old }),
  });
  return decideFromOldToken({ deps, attempt, declaredLost, now, self: await api.observeSelf() });
}

/** Completes an attempt whose token was replaced by another one. An attempt that ended meanwhile stays as it is. */
async function supersede(
  { rotations }: Stores,
  attempt: RotationRow,
  { from, now }: { from: 'intent' | 'committed'; now: Date },
): Promise<RotationResult> {
  const isMine = await rotations.end({ id: attempt.id, from, state: 'superseded', code: null, now });
  const ended = isMine ? null : await rotations.find(attempt.id);
  return ended === null ? { code: 'token_changed', attemptId: attempt.id } : endedResult(ended);
}

async function decideFromOldToken(input: OpenAttempt & { self: SelfObservation }): Promise<RotationResult> {
  const { deps, attempt, declaredLost, now, self } = input;
  const { rotations } = deps.database.stores;
  const waitFor = async (ms: number, firstAliveAt = attempt.firstAliveAt) => {
    await rotations.recordProgress({
      id: attempt.id,
      nextCheckAt: new Date(now.getTime() + ms),
      firstAliveAt,
    });
    return openResult(attempt, 'in_doubt');
  };
  switch (self.kind) {
    case 'unauthorized': {
      const isMine = attempt.workerId === deps.journal.workerId;
      const isLost =
        isMine ||
        declaredLost ||
        (await rotations.ownerIsGone({ id: attempt.id, forMs: OWNER_LOST_AFTER_MS }));
      return isLost ? recordLostRotation({ deps, attempt, now }) : waitFor(CHECK_ABSENT_OWNER_MS, null);
    }
    case 'token':
    case 'self_unreadable': {
      // our request may still be queued at GitLab, so one success of the old token is not enough
      const { firstAliveAt } = attempt;
      if (firstAliveAt === null) return waitFor(deps.confirmAfterMs, now);
      const waitLeftMs = firstAliveAt.getTime() + deps.confirmAfterMs - now.getTime();
      if (waitLeftMs > 0) return waitFor(waitLeftMs);
      return keepOldToken({ deps, attempt, code: 'not_rotated', now });
    }
    default:
      return waitFor(CHECK_AGAIN_MS);
  }
}

/** Verifies that GitLab accepts the new token and confirms its ID. Until then, the attempt stays open. */
export async function verifyNewToken({
  deps,
  attempt,
  now,
}: Omit<OpenAttempt, 'declaredLost'>): Promise<RotationResult> {
  const { stores } = deps.database;
  const integration = await stores.integrations.find(attempt.integrationId);
  const credential = await stores.credentials.find(attempt.newCredentialId);
  if (integration === null || credential === null) return { code: 'not_found', attemptId: attempt.id };
  if (credential.state !== 'current') {
    return supersede(stores, attempt, { from: 'committed', now });
  }
  const token = openToken({ vault: deps.vault, credential });
  const self = await deps.gitlab.forToken({ baseUrl: integration.baseUrl, token }).observeSelf();
  const isRight = self.kind === 'token' && self.token.gitlabTokenId === attempt.newTokenId;
  if (!isRight && self.kind !== 'unauthorized') {
    await stores.rotations.recordProgress({
      id: attempt.id,
      nextCheckAt: new Date(now.getTime() + CHECK_AGAIN_MS),
    });
    return openResult(attempt, 'in_doubt');
  }
  await deps.onStep('verified');
  const result = await finishRotation({ deps, attempt, facts: isRight ? self.token : null, now });
  await deps.journal.remove(attempt.id);
  return result;
}
