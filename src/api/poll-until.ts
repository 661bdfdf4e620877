import { setTimeout } from 'node:timers/promises';

const POLL_INTERVAL_MS = 100;

/** Polls until `isDone` or the timeout. @returns the last value read */
export async function pollUntil<T>(input: {
  read: () => Promise<T>;
  isDone: (value: T) => boolean;
  timeoutMs: number;
}): Promise<T> {
  const deadlineMs = performance.now() + input.timeoutMs;
  for (;;) {
    const value = await input.read();
    if (input.isDone(value) || performance.now() >= deadlineMs) return value;
    await setTimeout(POLL_INTERVAL_MS);
  }
}
