import type { OutboxEntry } from '../../db/stores/outbox.ts';
import { REACHABILITY_CAUSES } from '../../domain/causes.ts';
import { SecuError } from '../../domain/errors.ts';
import type { RotatableToken, RotationFailure } from '../../domain/rotation.ts';
import {
  isPossibleExpiry,
  lifetimeDays,
  maxDaysBefore,
  rotatableOf,
  rotationBlock,
} from '../../domain/rotation.ts';
import { rotationBlockText } from '../../domain/rotation-block-texts.ts';
import { awaitCommand, COMMAND_TIMEOUT_MS, wake } from '../commands.ts';
import type { ApiDeps, RequestOrigin } from '../deps.ts';
import { actorOf } from '../middleware/authenticate.ts';
import { found, integrationAuditEvent } from '../shared.ts';

/** What "force" does about a block, for callers of the API. */
const FORCE_HINTS: Partial<Record<RotationFailure, string>> = {
  rotation_in_doubt: '; send "force" to declare it lost and rotate again',
  expires_within_48_hours: '; send "force" to rotate it anyway',
};

interface RotateInput extends RequestOrigin {
  deps: ApiDeps;
  id: string;
  expiresAt: string | undefined;
  force: boolean;
}

/**
 * Rotates the token in GitLab. Joins a rotation that is already open.
 * @returns false on timeout; the outcome is then an event
 * @throws SecuError `rotation_not_possible` | `rotation_lost` | `gitlab_*`
 */
export async function rotateNow(input: RotateInput): Promise<boolean> {
  const { deps, expiresAt } = input;
  if (expiresAt !== undefined) assertPossibleExpiry(expiresAt, deps.now());
  const { commandId, wakes } = await storeRotateCommand(input);
  const { sent } = await wake(deps, wakes);
  if (sent === 0) return false;
  const result = await awaitCommand({ ...deps, kind: 'rotate', commandId, timeoutMs: COMMAND_TIMEOUT_MS });
  if (result === null || result.code === 'in_doubt') return false;
  if (result.code === 'ok') return true;
  throw outcomeError(result.code);
}

async function storeRotateCommand(input: RotateInput): Promise<{ commandId: string; wakes: OutboxEntry[] }> {
  const { deps, requestId, id, expiresAt, force } = input;
  const now = deps.now();
  return deps.database.transaction(async (tx) => {
    const row = found(await tx.integrations.lock(id), 'integration');
    const credential = found(await tx.credentials.current(id), 'integration');
    const wakes = [await tx.outbox.add({ kind: 'wake_integration', integrationId: id, now })];
    const kind = 'rotate';
    const joined = await tx.commands.openOf({ integrationId: id, kind });
    if (joined !== null) return { commandId: joined, wakes };
    const inDoubt = (await tx.rotations.open(id)) !== null;
    const block = rotationBlock(rotatableOf({ integration: row, credential, inDoubt }), now.getTime());
    const isForced = force && (block === 'expires_within_48_hours' || block === 'rotation_in_doubt');
    if (block !== null && !isForced) throw refusal(block);
    const text = `A rotation of the token of ${row.name} was requested.`;
    await tx.events.add(
      [
        integrationAuditEvent(input, {
          kind: 'request.rotation',
          integrationId: id,
          text,
          data: { force, expiresAt },
        }),
      ],
      now,
    );
    const payload = {
      force,
      by: actorOf(input.principal),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
    return {
      commandId: await tx.commands.add({ integrationId: id, kind, payload, requestId, now }),
      wakes,
    };
  });
}

function outcomeError(code: RotationFailure): SecuError {
  if (code === 'internal')
    return new SecuError(code, 'the rotation was abandoned; see the log of the worker');
  if (code === 'rotation_lost')
    return new SecuError(code, 'GitLab created a new token, but its answer did not arrive');
  const outage = REACHABILITY_CAUSES.find((cause) => cause === code);
  return outage === undefined ? refusal(code) : new SecuError(outage, 'the token was not rotated');
}

function refusal(code: RotationFailure): SecuError {
  const reason = `${rotationBlockText(code)}${FORCE_HINTS[code] ?? ''}`;
  return new SecuError('rotation_not_possible', `the token was not rotated: ${reason}`, {
    details: { blockedBy: code },
  });
}

/** @throws SecuError `invalid_request` */
export function assertPossibleExpiry(expiresAt: string, now: Date): void {
  if (isPossibleExpiry(expiresAt, now.getTime())) return;
  throw new SecuError('invalid_request', 'expiresAt: must be from tomorrow to 365 days from today');
}

/**
 * Checks that the token can rotate itself.
 * @throws SecuError `rotation_not_possible` | `invalid_request` for days that exceed half of the token's lifetime
 */
export function assertMayRotateItself(input: {
  token: RotatableToken;
  createdAt: string | null;
  daysBefore: number;
  nowMs: number;
}): void {
  const { token, createdAt, daysBefore, nowMs } = input;
  const block = rotationBlock(token, nowMs);
  // automatic rotation is allowed in the last 48 hours
  if (block !== null && block !== 'expires_within_48_hours') {
    const reason = rotationBlockText(block);
    throw new SecuError('rotation_not_possible', `the token cannot rotate itself: ${reason}`, {
      details: { reason: block },
    });
  }
  if (token.expiry.kind !== 'on') return;
  const life = lifetimeDays({ createdAt, expiry: token.expiry });
  if (daysBefore <= maxDaysBefore(life)) return;
  throw new SecuError(
    'invalid_request',
    `autoRotate.daysBefore: must be less than half of the token's lifetime of ${life} days`,
  );
}
