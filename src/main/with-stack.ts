import { runUntilStopped } from './run-until-stopped.ts';
import type { Stack, StackInput } from './stack.ts';
import { startStack } from './stack.ts';

/**
 * Starts everything, does the work over it and stops everything. Told to stop, at any moment, it ends in order: while
 * it starts, once there is something whole to stop. What the work says while everything stops is not an error.
 * @returns what the work gives; `null` when it was told to stop
 * @throws as `startStack`, and what the work throws
 */
export async function withStack<T>(input: StackInput, work: (stack: Stack) => Promise<T>): Promise<T | null> {
  const stopping = new AbortController();
  const starting = startStack(input);
  const interrupted = runUntilStopped(async () => {
    stopping.abort();
    // a start that failed has stopped its parts itself
    await starting.then((stack) => stack.stop(), ignoreFailedStart);
  });
  try {
    const stack = await starting;
    const result = await Promise.race([work(stack), interrupted.then(() => null)]);
    if (!stopping.signal.aborted) await stack.stop();
    return result;
  } catch (err) {
    if (!stopping.signal.aborted) throw err;
    await interrupted;
    return null;
  }
}

function ignoreFailedStart(): void {}
