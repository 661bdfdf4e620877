import type { Verdict } from './integration.ts';
import type { Expiry } from './token-expiry.ts';
import { dueFlag, nextFlagMs } from './token-expiry.ts';

/** The rows of an integration when its workflow plans its next action. Times in ms since 1970. */
export interface IntegrationSnapshot {
  removed: boolean;
  verdict: Verdict;
  paused: boolean;
  nextVerifyMs: number | null;
  nextSyncMs: number | null;
  /** When the head that was not read for the longest time is to be read; `null` = never. */
  nextCheckMs: number | null;
  /** Background syncs and checks wait until then; `null` = they do not wait. */
  quietUntilMs: number | null;
  syncQueued: boolean;
  expiry: Expiry;
  flagged: number | null;
  command: { id: string; kind: 'verify' | 'replace_token' | 'rotate' } | null;
  /** An open rotation attempt, and when to check it again. */
  rotation: { attemptId: string; workerId: string; nextCheckMs: number } | null;
  /** When automatic rotation is due; `null` = never. */
  nextRotateMs: number | null;
}

export type DueAction =
  | { do: 'clean_up' }
  | { do: 'verify'; commandId: string | null }
  | { do: 'replace_token'; commandId: string }
  | { do: 'rotate'; commandId: string | null }
  | { do: 'resolve_rotation'; attemptId: string; workerId: string; commandId: string | null }
  | { do: 'flag'; thresholdDays: number }
  | { do: 'sync' }
  | { do: 'check_heads'; dueMs: number }
  | { do: 'wait'; untilMs: number };

const MAX_WAIT_MS = 86_400_000;

/**
 * The next action, most urgent first: commands, then the token, then the sync, then heads that were not checked. With nothing due, wait until the
 * earliest deadline, at most a day.
 */
export function nextAction(input: {
  snapshot: IntegrationSnapshot;
  nowMs: number;
  thresholds: readonly number[];
}): DueAction {
  const { snapshot, nowMs, thresholds } = input;
  if (snapshot.removed) return { do: 'clean_up' };
  if (snapshot.command?.kind === 'replace_token')
    return { do: 'replace_token', commandId: snapshot.command.id };
  const { rotation } = snapshot;
  const requested = snapshot.command?.kind === 'rotate' ? snapshot.command.id : null;
  if (rotation !== null && (requested !== null || isDue(rotation.nextCheckMs, nowMs))) {
    const { attemptId, workerId } = rotation;
    return { do: 'resolve_rotation', attemptId, workerId, commandId: requested };
  }
  if (requested !== null) return { do: 'rotate', commandId: requested };
  if (snapshot.command !== null) return { do: 'verify', commandId: snapshot.command.id };

  const expiry = { expiry: snapshot.expiry, nowMs, thresholds, flagged: snapshot.flagged };
  const flag = dueFlag(expiry);
  if (flag !== null) return { do: 'flag', thresholdDays: flag };
  if (isDue(snapshot.nextVerifyMs, nowMs)) return { do: 'verify', commandId: null };
  const nextRotateMs = rotation === null && snapshot.verdict === 'active' ? snapshot.nextRotateMs : null;
  if (isDue(nextRotateMs, nowMs)) return { do: 'rotate', commandId: null };
  const maySync = snapshot.verdict === 'active' && !snapshot.paused;
  const nextSyncMs = maySync ? afterQuiet(snapshot.nextSyncMs, snapshot) : null;
  const nextCheckMs = maySync ? afterQuiet(snapshot.nextCheckMs, snapshot) : null;
  if (maySync && (snapshot.syncQueued || isDue(nextSyncMs, nowMs))) return { do: 'sync' };
  if (snapshot.nextCheckMs !== null && isDue(nextCheckMs, nowMs))
    return { do: 'check_heads', dueMs: snapshot.nextCheckMs };

  const deadlines = [
    snapshot.nextVerifyMs,
    nextFlagMs(expiry),
    rotation?.nextCheckMs ?? null,
    nextRotateMs,
    nextSyncMs,
    nextCheckMs,
  ];
  const comingMs = deadlines.filter((atMs): atMs is number => atMs !== null);
  return { do: 'wait', untilMs: Math.min(nowMs + MAX_WAIT_MS, ...comingMs) };
}

function afterQuiet(
  atMs: number | null,
  { quietUntilMs }: Pick<IntegrationSnapshot, 'quietUntilMs'>,
): number | null {
  return atMs === null || quietUntilMs === null ? atMs : Math.max(atMs, quietUntilMs);
}

function isDue(atMs: number | null, nowMs: number): boolean {
  return atMs !== null && atMs <= nowMs;
}
