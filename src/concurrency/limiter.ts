import pLimit from 'p-limit';
import { canceled, isSecuError } from '../domain/errors.ts';

/** Gives turns: so many run at once, the rest wait in line. */
export type Turns = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

/** The clock of whoever waits: it stands while nothing is done for them. */
export interface Clock {
  stop(): void;
  go(): void;
}

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

/** Turns of their own for each name. */
export function createTurnsByName(atOnce: number): (name: string) => Turns {
  const byName = new Map<string, Turns>();
  return (name) => {
    const turns = byName.get(name) ?? createTurns(atOnce);
    byName.set(name, turns);
    return turns;
  };
}

/** Waits with the clock standing. @throws as the turns do, and the work */
export async function inTurn<T>(
  { takeTurn, signal, clock }: { takeTurn: Turns; signal: AbortSignal; clock: Clock },
  work: () => Promise<T>,
): Promise<T> {
  clock.stop();
  try {
    return await takeTurn(signal, () => {
      clock.go();
      return work();
    });
  } finally {
    clock.go();
  }
}

function ignoreCanceled(err: unknown): void {
  if (!isSecuError(err, 'canceled')) throw err;
}
