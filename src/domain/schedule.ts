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
  | { do: 'wait'; untilMs: number };

const MAX_WAIT_MS = 86_400_000;

/**
 * The next action, most urgent first: commands, then the token, then the sync. With nothing due, wait until the
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
  if (maySync && (snapshot.syncQueued || isDue(snapshot.nextSyncMs, nowMs))) return { do: 'sync' };

  const deadlines = [
    snapshot.nextVerifyMs,
    nextFlagMs(expiry),
    rotation?.nextCheckMs ?? null,
    nextRotateMs,
    maySync ? snapshot.nextSyncMs : null,
  ];
  const comingMs = deadlines.filter((atMs): atMs is number => atMs !== null);
  return { do: 'wait', untilMs: Math.min(nowMs + MAX_WAIT_MS, ...comingMs) };
}

function isDue(atMs: number | null, nowMs: number): boolean {
  return atMs !== null && atMs <= nowMs;
}
