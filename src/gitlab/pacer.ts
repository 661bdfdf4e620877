import { setTimeout as wait } from 'node:timers/promises';
import { SecuError } from '../domain/errors.ts';

/** A pause longer than this is not slept through: the caller is told and comes back by a timer that lasts. */
const MAX_SLEEP_MS = 30_000;

/**
 * Spreads requests over time, for all of this process. `lane` is what a limit of GitLab counts besides the address:
 * one token.
 */
export interface Pacer {
  /**
   * Resolves when the next request of this origin may leave.
   * @throws SecuError `gitlab_rate_limited` with `retryAfterMs` while a long pause lasts; the signal's reason on abort
   */
  take(input: { origin: string; lane: string; signal?: AbortSignal | undefined }): Promise<void>;
  /** No request of this origin (or lane) leaves before that moment, in ms since 1970. A later pause wins. */
  pause(input: { key: string; untilMs: number }): void;
}

/** A token bucket for each origin: `perSecond` requests a second, as many at once after a rest. */
export function createPacer({ perSecond, now = Date.now }: { perSecond: number; now?: () => number }): Pacer {
  const gapMs = 1_000 / perSecond;
  const burstMs = 1_000;
  const nextFreeMs = new Map<string, number>();
  const pausedUntilMs = new Map<string, number>();

  function pauseLeftMs(keys: readonly string[]): number {
    const untils = keys.map((key) => pausedUntilMs.get(key) ?? 0);
    return Math.max(0, Math.max(...untils) - now());
  }

  /** Takes the next place in the line; answers how long to wait for it. */
  function reserveMs(origin: string): number {
    const atMs = now();
    const placeMs = Math.max(nextFreeMs.get(origin) ?? 0, atMs - burstMs + gapMs);
    nextFreeMs.set(origin, placeMs + gapMs);
    return Math.max(0, placeMs - atMs);
  }

  return {
    async take({ origin, lane, signal }) {
      const keys = [origin, lane];
      signal?.throwIfAborted();
      await sleep(reserveMs(origin), signal);
      for (let leftMs = pauseLeftMs(keys); leftMs > 0; leftMs = pauseLeftMs(keys)) {
        if (leftMs > MAX_SLEEP_MS) throw stillPaused(leftMs);
        await sleep(leftMs, signal);
        await sleep(reserveMs(origin), signal);
      }
    },
    pause({ key, untilMs }) {
      forgetEndedPauses({ pausedUntilMs, atMs: now() });
      pausedUntilMs.set(key, Math.max(untilMs, pausedUntilMs.get(key) ?? 0));
    },
  };
}

async function sleep(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (delayMs <= 0) return;
  try {
    await wait(Math.ceil(delayMs), undefined, signal === undefined ? {} : { signal });
  } catch (err) {
    signal?.throwIfAborted();
    throw err;
  }
}

function forgetEndedPauses({
  pausedUntilMs,
  atMs,
}: {
  pausedUntilMs: Map<string, number>;
  atMs: number;
}): void {
  for (const [key, untilMs] of pausedUntilMs) if (untilMs <= atMs) pausedUntilMs.delete(key);
}

function stillPaused(retryAfterMs: number): SecuError {
  return new SecuError('gitlab_rate_limited', `GitLab asked for a pause of another ${retryAfterMs} ms`, {
    details: { retryAfterMs },
  });
}
