import type { Clock } from './limiter.ts';

/**
 * How long something may take, without the time in which it only waits for its turn. `AbortSignal.timeout` keeps what
 * listens to it in memory until its time is up, a quarter of an hour for a clone of a second.
 */
export interface Deadline extends Clock {
  /** Fires when the time is used up. */
  signal: AbortSignal;
  /** For good: it does not fire any more. */
  end(): void;
}

/** The clock runs from the start. Times in ms. */
export function createDeadline(mostMs: number): Deadline {
  const controller = new AbortController();
  let usedMs = 0;
  let hasEnded = false;
  let running: { sinceMs: number; timer: NodeJS.Timeout } | null = null;

  function stop(): void {
    if (running === null) return;
    clearTimeout(running.timer);
    usedMs += performance.now() - running.sinceMs;
    running = null;
  }

  function go(): void {
    if (hasEnded || running !== null || controller.signal.aborted) return;
    const timer = setTimeout(() => controller.abort(), Math.max(0, mostMs - usedMs));
    running = { sinceMs: performance.now(), timer };
  }

  function end(): void {
    hasEnded = true;
    stop();
  }

  go();
  return { signal: controller.signal, stop, go, end };
}
