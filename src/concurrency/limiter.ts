import pLimit from 'p-limit';
import { canceled, isSecuError } from '../domain/errors.ts';

/** Runs `work` when a slot is free. @throws SecuError `canceled` when the signal fires before the work starts */
export type Limiter = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

/** Measures the time that counts against a deadline; paused while a caller waits for a slot. */
export interface Stopwatch {
  pause(): void;
  resume(): void;
}

/**
 * Runs at most `maxConcurrent` pieces of work at once, first come, first served. `p-limit` alone cannot drop a waiting
 * caller when its signal fires, so this wraps it.
 */
export function createLimiter(maxConcurrent: number): Limiter {
  const limit = pLimit(maxConcurrent);
  return async (signal, work) => {
    const started = Promise.withResolvers<void>();
    const run = limit(async () => {
      started.resolve();
      if (signal.aborted) throw canceled();
      return work();
    });
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(canceled());
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      await Promise.race([started.promise, aborted.promise]);
    } catch (err) {
      run.catch(ignoreCanceled);
      throw err;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    return run;
  };
}

/** One limiter per key, created on first use and kept. */
export function createKeyedLimiter(maxConcurrent: number): (key: string) => Limiter {
  const limiters = new Map<string, Limiter>();
  return (key) => {
    const limiter = limiters.get(key) ?? createLimiter(maxConcurrent);
    limiters.set(key, limiter);
    return limiter;
  };
}

/** Runs `work` under the limiter; the stopwatch is paused while the call waits for its slot. */
export async function runWithPausedStopwatch<T>(
  { limiter, signal, stopwatch }: { limiter: Limiter; signal: AbortSignal; stopwatch: Stopwatch },
  work: () => Promise<T>,
): Promise<T> {
  stopwatch.pause();
  try {
    return await limiter(signal, () => {
      stopwatch.resume();
      return work();
    });
  } finally {
    stopwatch.resume();
  }
}

function ignoreCanceled(err: unknown): void {
  if (!isSecuError(err, 'canceled')) throw err;
}
