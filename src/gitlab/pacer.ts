import { setTimeout as wait } from 'node:timers/promises';
import { SecuError } from '../domain/errors.ts';

/** The pacer does not wait for a longer pause: it throws, and the caller retries with a durable timer. */
const MAX_SLEEP_MS = 30_000;
/** The limit for interactive requests. The error says when to try again. */
const MAX_INTERACTIVE_SLEEP_MS = 3_000;
/** Interactive requests per minute that are sent while the length of GitLab's pause is only a guess. */
const INTERACTIVE_RESERVE = 20;
const RESERVE_WINDOW_MS = 60_000;

/** Limits the request rate of this process. A `lane` is what GitLab limits besides the address: one token. */
export interface Pacer {
  /**
   * Resolves when the next request to this origin may be sent. `interactive`: a person waits for the answer.
   * @throws SecuError `gitlab_rate_limited` with `retryAfterMs` during a long pause; the signal's reason on abort
   */
  take(input: {
    origin: string;
    lane: string;
    signal?: AbortSignal | undefined;
    interactive?: boolean;
  }): Promise<void>;
  /**
   * Blocks requests to this origin (or lane) until this time, in ms since 1970. A later pause wins. `guessed`:
   * GitLab did not say how long to wait.
   */
  pause(input: { key: string; untilMs: number; guessed?: boolean }): void;
}

/** A token bucket per origin: `perSecond` requests per second, and the same number as a burst after idle time. */
export function createPacer({ perSecond, now = Date.now }: { perSecond: number; now?: () => number }): Pacer {
  const gapMs = 1_000 / perSecond;
  const burstMs = 1_000;
  const nextFreeMs = new Map<string, number>();
  const named = new Map<string, number>();
  const guessed = new Map<string, number>();
  const reserves = new Map<string, { sinceMs: number; used: number }>();

  /** The remaining pause of this request, in ms. */
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
