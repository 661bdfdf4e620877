import type { Database } from '../db/database.ts';
import { sendWakes } from '../db/wakes.ts';
import type { Starters } from '../domain/ports.ts';
import type { Log } from '../log/logger.ts';

const POKE_EVERY_MS = 2_000;
const PER_POKE = 200;

/** Every two seconds: sends the wakes that their writers could not. @returns a function that stops it */
export function startDispatcher(deps: {
  database: Database;
  starters: Starters;
  log: Log;
}): () => Promise<void> {
  const stopping = new AbortController();
  const loop = async () => {
    while (!stopping.signal.aborted) {
      await poke(deps);
      await pause(stopping.signal);
    }
  };
  const running = loop();
  return async () => {
    stopping.abort();
    await running;
  };
}

async function poke(deps: { database: Database; starters: Starters; log: Log }): Promise<void> {
  try {
    const before = new Date(Date.now() - POKE_EVERY_MS / 2);
    const waiting = await deps.database.stores.outbox.waiting({ before, limit: PER_POKE });
    if (waiting.length > 0) await sendWakes(deps, waiting);
  } catch (err) {
    deps.log.warn({ err }, 'dispatcher: could not look for waiting commands');
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, POKE_EVERY_MS);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
