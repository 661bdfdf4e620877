const LOOK_EVERY_MS = 100;

/** Polls until `isDone` or the timeout. @returns the last value read */
export async function lookUntil<T>(input: {
  read: () => Promise<T>;
  isDone: (value: T) => boolean;
  timeoutMs: number;
}): Promise<T> {
  const untilMs = performance.now() + input.timeoutMs;
  for (;;) {
    const value = await input.read();
    if (input.isDone(value) || performance.now() >= untilMs) return value;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
