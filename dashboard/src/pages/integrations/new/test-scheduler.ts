const TYPING_PAUSE_MS = 800;
const MIN_INTERVAL_MS = 2_000;

/**
 * When a token is tried: on paste, on leaving the field, or once typing has paused; only when something changed, at
 * least two seconds apart, and with the try before ended. Wrong tokens count against the address at GitLab.
 * `answersHere` may settle it without a request.
 */
export function createTestScheduler({
  answersHere,
  run,
  nowMs,
}: {
  answersHere: () => boolean;
  run: (signal: AbortSignal) => void;
  nowMs: () => number;
}) {
  let isChanged = false;
  let startedMs = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = new AbortController();
  const go = () => {
    if (!isChanged) return;
    if (answersHere()) {
      isChanged = false;
      return;
    }
    const waitMs = startedMs + MIN_INTERVAL_MS - nowMs();
    if (waitMs > 0) return after(waitMs);
    isChanged = false;
    startedMs = nowMs();
    running = new AbortController();
    run(running.signal);
  };
  const after = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(go, ms);
  };
  const change = (ms: number) => {
    isChanged = true;
    running.abort();
    after(ms);
  };
  return {
    typed: () => change(TYPING_PAUSE_MS),
    pasted: () => change(0),
    again: () => change(0),
    left: () => {
      if (isChanged) after(0);
    },
    stop: () => {
      clearTimeout(timer);
      running.abort();
    },
  };
}
