import { endWithParent } from '../embedded/end-with-parent.ts';

const GRACE_MS = 30_000;

/** Waits for SIGTERM, SIGINT or the exit of the parent process, then shuts down. A second signal exits at once. */
export async function runUntilStopped(shutdown: () => Promise<void>): Promise<void> {
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= shutdown();
    return stopping;
  };
  endWithParent({ shutdown: stop, graceMs: GRACE_MS });
  await new Promise<void>((resolve, reject) => {
    const onSignal = () => {
      if (stopping !== null) process.exit(1);
      stop().then(resolve, reject);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
