import type { Stopwatch } from './limiter.ts';

/**
 * A time limit that does not count time spent waiting for a slot. `AbortSignal.timeout` keeps its listeners in memory
 * until the timeout has passed: 15 minutes for a clone that takes one second.
 */
export interface Deadline extends Stopwatch {
  /** Fires when the time is used up. */
  signal: AbortSignal;
  /** Stops the deadline for good: its signal never fires afterwards. */
  close(): void;
}

/** The deadline starts running at once. */
export function createDeadline(timeoutMs: number): Deadline {
  const controller = new AbortController();
  let usedMs = 0;
  let isClosed = false;
  let running: { sinceMs: number; timer: NodeJS.Timeout } | null = null;

  function pause(): void {
    if (running === null) return;
    clearTimeout(running.timer);
    usedMs += performance.now() - running.sinceMs;
    running = null;
  }

  function resume(): void {
    if (isClosed || running !== null || controller.signal.aborted) return;
    const timer = setTimeout(() => controller.abort(), Math.max(0, timeoutMs - usedMs));
    running = { sinceMs: performance.now(), timer };
  }

  function close(): void {
    isClosed = true;
    pause();
  }

  resume();
  return { signal: controller.signal, pause, resume, close };
}
