import { setTimeout as wait } from 'node:timers/promises';
import { SecuError } from '../domain/errors.ts';

/** A pause longer than this is not slept through: the caller gets an error and comes back by a durable timer. */
const MAX_SLEEP_MS = 30_000;
/** A person waits no longer than this; the error says when to try again. */
const MAX_INTERACTIVE_SLEEP_MS = 3_000;
/** Requests a minute that a person may send while GitLab's pause is only our guess. */
const INTERACTIVE_RESERVE = 20;
const RESERVE_WINDOW_MS = 60_000;

/**
 * Spreads requests over time, for all of this process. `lane` is what a limit of GitLab counts besides the address:
 * one token.
 */
export interface Pacer {
  /**
   * Resolves when the next request of this origin may leave. `interactive`: a person waits for the answer.
   * @throws SecuError `gitlab_rate_limited` with `retryAfterMs` while a long pause lasts; the signal's reason on abort
   */
  take(input: {
    origin: string;
    lane: string;
    signal?: AbortSignal | undefined;
    interactive?: boolean;
  }): Promise<void>;
  /**
   * No request of this origin (or lane) leaves before that moment, in ms since 1970. A later pause wins. `guessed`:
   * GitLab did not say how long to wait.
   */
  pause(input: { key: string; untilMs: number; guessed?: boolean }): void;
}

/** A token bucket for each origin: `perSecond` requests a second, as many at once after a rest. */
export function createPacer({ perSecond, now = Date.now }: { perSecond: number; now?: () => number }): Pacer {
  const gapMs = 1_000 / perSecond;
  const burstMs = 1_000;
  const nextFreeMs = new Map<string, number>();
  const named = new Map<string, number>();
  const guessed = new Map<string, number>();
  const reserves = new Map<string, { sinceMs: number; used: number }>();

  /** How long the pause of these keys still lasts for this request. */
  function pauseLeftMs(origin: string, lane: string, interactive: boolean): number {
    const leftMs = (pauses: ReadonlyMap<string, number>) =>
      Math.max(0, ...[origin, lane].map((key) => (pauses.get(key) ?? 0) - now()));
    const guessedMs = leftMs(guessed);
    const passes = guessedMs > 0 && interactive && takeFromReserve(origin);
    return Math.max(leftMs(named), passes ? 0 : guessedMs);
  }

  function takeFromReserve(origin: string): boolean {
    const known = reserves.get(origin);
    const isCurrent = known !== undefined && now() - known.sinceMs < RESERVE_WINDOW_MS;
    const reserve = isCurrent ? known : { sinceMs: now(), used: 0 };
    if (reserve.used >= INTERACTIVE_RESERVE) return false;
    reserves.set(origin, { ...reserve, used: reserve.used + 1 });
    return true;
  }

  /** Reserves the next position in the queue. @returns how long to wait for it, in ms */
  function reserveMs(origin: string): number {
    const atMs = now();
    const positionMs = Math.max(nextFreeMs.get(origin) ?? 0, atMs - burstMs + gapMs);
    nextFreeMs.set(origin, positionMs + gapMs);
    return Math.max(0, positionMs - atMs);
  }

  return {
    async take({ origin, lane, signal, interactive = false }) {
      const maxSleepMs = interactive ? MAX_INTERACTIVE_SLEEP_MS : MAX_SLEEP_MS;
      const leftMs = () => pauseLeftMs(origin, lane, interactive);
      signal?.throwIfAborted();
      await sleep(reserveMs(origin), signal);
      for (let pauseMs = leftMs(); pauseMs > 0; pauseMs = leftMs()) {
        if (pauseMs > maxSleepMs) throw stillPaused(pauseMs);
        await sleep(pauseMs, signal);
        await sleep(reserveMs(origin), signal);
      }
    },
    pause({ key, untilMs, guessed: isGuess = false }) {
      for (const pauses of [named, guessed]) forgetEndedPauses(pauses, now());
      const pauses = isGuess ? guessed : named;
      pauses.set(key, Math.max(untilMs, pauses.get(key) ?? 0));
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

function forgetEndedPauses(pauses: Map<string, number>, atMs: number): void {
  for (const [key, untilMs] of pauses) if (untilMs <= atMs) pauses.delete(key);
}

function stillPaused(retryAfterMs: number): SecuError {
  const seconds = Math.ceil(retryAfterMs / 1_000);
  return new SecuError('gitlab_rate_limited', `GitLab limits the request rate; try again in ${seconds} s`, {
    details: { retryAfterMs },
  });
}
