const TYPING_PAUSE_MS = 800;
const MIN_INTERVAL_MS = 2_000;

/**
 * Decides when to test a token: on paste, on blur or after a pause in typing. Only changes cause a test, tests are two
 * seconds apart, and a new test aborts the previous one, because GitLab limits failed attempts per address.
 * If `checkLocally` returns true, no request is needed.
 */
export function createTestScheduler({
  checkLocally,
  run,
  nowMs,
}: {
  checkLocally: () => boolean;
  run: (signal: AbortSignal) => void;
  nowMs: () => number;
}) {
  let isChanged = false;
  let lastStartMs = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = new AbortController();
  const runIfChanged = () => {
    if (!isChanged) return;
    if (checkLocally()) {
      isChanged = false;
      return;
    }
    const waitMs = lastStartMs + MIN_INTERVAL_MS - nowMs();
    if (waitMs > 0) return schedule(waitMs);
    isChanged = false;
    lastStartMs = nowMs();
    running = new AbortController();
    run(running.signal);
  };
  const schedule = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(runIfChanged, ms);
  };
  const change = (ms: number) => {
    isChanged = true;
    running.abort();
    schedule(ms);
  };
  return {
    typed: () => change(TYPING_PAUSE_MS),
    pasted: () => change(0),
    again: () => change(0),
    left: () => {
      if (isChanged) schedule(0);
    },
    stop: () => {
      clearTimeout(timer);
      running.abort();
    },
  };
}
