import { runUntilStopped } from './run-until-stopped.ts';
import type { Stack, StackInput } from './stack.ts';
import { startStack } from './stack.ts';

/**
 * Starts the stack, runs `work` and stops the stack. A stop signal is handled at any moment; during the start, after all
 * parts are up. Errors of `work` during the shutdown are ignored.
 * @returns the result of `work`; `null` after a stop signal
 * @throws errors of `startStack` and of `work`
 */
export async function withStack<T>(input: StackInput, work: (stack: Stack) => Promise<T>): Promise<T | null> {
  const stopping = new AbortController();
  const starting = startStack(input);
  const interrupted = runUntilStopped(async () => {
    stopping.abort();
    // a failed start has already stopped its parts
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
