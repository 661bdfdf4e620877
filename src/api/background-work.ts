import { setTimeout as delay } from 'node:timers/promises';

const MAX_WAIT_MS = 5_000;

/** Work that an answer does not wait for, and the shutdown does. */
export interface BackgroundWork {
  add(work: Promise<unknown>): void;
  /** Resolves when everything that was added has ended, at the latest after some seconds. */
  settled(): Promise<void>;
}

export function createBackgroundWork(): BackgroundWork {
  const open = new Set<Promise<unknown>>();
  return {
    add(work) {
      open.add(work);
      void Promise.allSettled([work]).then(() => open.delete(work));
    },
    async settled() {
      await Promise.race([Promise.allSettled(open), delay(MAX_WAIT_MS, undefined, { ref: false })]);
    },
  };
}
