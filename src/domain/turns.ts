import pLimit from 'p-limit';
import { SecuError } from './errors.ts';

/** Gives turns: so many run at once, the rest wait in line. */
export type Turns = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

/** A turn that is waited for is given up when its signal fires. @throws SecuError `canceled` then */
export function createTurns(atOnce: number): Turns {
  const limit = pLimit(atOnce);
  return async (signal, work) => {
    const started = Promise.withResolvers<void>();
    const turn = limit(async () => {
      started.resolve();
      if (signal.aborted) throw canceled();
      return work();
    });
    const givenUp = Promise.withResolvers<never>();
    const onAbort = () => givenUp.reject(canceled());
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      await Promise.race([started.promise, givenUp.promise]);
    } catch (err) {
      turn.catch(ignoreCanceled);
      throw err;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    return turn;
  };
}

function canceled(): SecuError {
  return new SecuError('canceled', 'it was asked to stop');
}

function ignoreCanceled(err: unknown): void {
  if (!(err instanceof SecuError && err.code === 'canceled')) throw err;
}
