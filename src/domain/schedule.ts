import type { Verdict } from './integration.ts';
import { dueFlag, nextFlagMs } from './token-expiry.ts';

/** What is known of an integration when its workflow looks: rows, in plain words. Moments are ms since 1970. */
export interface IntegrationSnapshot {
  removed: boolean;
  verdict: Verdict;
  paused: boolean;
  nextVerifyMs: number | null;
  nextSyncMs: number | null;
  syncQueued: boolean;
  expiresAt: string | null | undefined;
  flagged: number | null;
  command: { id: string; kind: 'verify' | 'replace_token' | 'rotate' } | null;
  /** An attempt to rotate that is open, and when to look how it stands. */
  rotation: { attemptId: string; workerId: string; nextLookMs: number } | null;
  /** When it rotates by itself; `null` = never. */
  nextRotateMs: number | null;
}

export type DueAction =
  | { do: 'clean_up' }
  | { do: 'verify'; commandId: string | null }
  | { do: 'replace_token'; commandId: string }
  | { do: 'rotate'; commandId: string | null }
  | { do: 'settle_rotation'; attemptId: string; workerId: string; commandId: string | null }
  | { do: 'flag'; thresholdDays: number }
  | { do: 'sync' }
  | { do: 'wait'; untilMs: number };

const LONGEST_WAIT_MS = 86_400_000;

/**
 * The one thing to do next, most urgent first: what a person asked, then the token, then the list. Nothing due: wait
 * until the earliest deadline, at most a day.
 */
export function nextAction(input: {
  seen: IntegrationSnapshot;
  nowMs: number;
  thresholds: readonly number[];
}): DueAction {
  const { seen, nowMs, thresholds } = input;
  if (seen.removed) return { do: 'clean_up' };
  if (seen.command?.kind === 'replace_token') return { do: 'replace_token', commandId: seen.command.id };
  const { rotation } = seen;
  const asked = seen.command?.kind === 'rotate' ? seen.command.id : null;
  if (rotation !== null && (asked !== null || isDue(rotation.nextLookMs, nowMs))) {
    const { attemptId, workerId } = rotation;
    return { do: 'settle_rotation', attemptId, workerId, commandId: asked };
  }
  if (asked !== null) return { do: 'rotate', commandId: asked };
  if (seen.command !== null) return { do: 'verify', commandId: seen.command.id };

  const expiry = { expiresAt: seen.expiresAt, nowMs, thresholds, flagged: seen.flagged };
  const flag = dueFlag(expiry);
  if (flag !== null) return { do: 'flag', thresholdDays: flag };
  if (isDue(seen.nextVerifyMs, nowMs)) return { do: 'verify', commandId: null };
  const nextRotateMs = rotation === null && seen.verdict === 'active' ? seen.nextRotateMs : null;
  if (isDue(nextRotateMs, nowMs)) return { do: 'rotate', commandId: null };
  const maySync = seen.verdict === 'active' && !seen.paused;
  if (maySync && (seen.syncQueued || isDue(seen.nextSyncMs, nowMs))) return { do: 'sync' };

  const deadlines = [
    seen.nextVerifyMs,
    nextFlagMs(expiry),
    rotation?.nextLookMs ?? null,
    nextRotateMs,
    maySync ? seen.nextSyncMs : null,
  ];
  const comingMs = deadlines.filter((atMs): atMs is number => atMs !== null);
  return { do: 'wait', untilMs: Math.min(nowMs + LONGEST_WAIT_MS, ...comingMs) };
}

function isDue(atMs: number | null, nowMs: number): boolean {
  return atMs !== null && atMs <= nowMs;
}
