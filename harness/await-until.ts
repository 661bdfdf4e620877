import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 25;

/**
 * Polls until the condition returns something other than null, undefined or false, and returns that value. The
 * timeout error contains `what`. An error from the condition ends the wait.
 */
export async function awaitUntil<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 60_000, what = 'the condition' }: { timeoutMs?: number; what?: string } = {},
): Promise<Exclude<T, null | undefined | false>> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) {
      return value as Exclude<T, null | undefined | false>;
    }
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await delay(LOOK_EVERY_MS);
  }
}
