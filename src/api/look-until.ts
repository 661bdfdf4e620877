const LOOK_EVERY_MS = 100;

/** Reads again and again until `isDone` or the time is over. @returns what was read last */
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
