import type { Database } from '../db/database.ts';
import { sendWakes } from '../db/wakes.ts';
import type { Starters } from '../domain/ports.ts';
import type { Log } from '../log/logger.ts';
import type { ActivityMetrics } from '../metrics/activities.ts';
import { sleep } from './sleep.ts';

const SEND_EVERY_MS = 2_000;
const MAX_WAKES_PER_ROUND = 200;

interface OutboxLoopDeps {
  database: Database;
  starters: Starters;
  log: Log;
  metrics: Pick<ActivityMetrics, 'dispatched'>;
}

/** Sends wakes that their writers could not send, every two seconds. @returns a function that stops the loop */
export function startOutboxLoop(deps: OutboxLoopDeps): () => Promise<void> {
  const stopping = new AbortController();
  const loop = async () => {
    while (!stopping.signal.aborted) {
      await sendWaitingWakes(deps);
      await sleep(SEND_EVERY_MS, stopping.signal);
    }
  };
  const running = loop();
  return async () => {
    stopping.abort();
    await running;
  };
}

async function sendWaitingWakes(deps: OutboxLoopDeps): Promise<void> {
  try {
    const before = new Date(Date.now() - SEND_EVERY_MS / 2);
    const waiting = await deps.database.stores.outbox.waiting({ before, limit: MAX_WAKES_PER_ROUND });
    const { sent } = waiting.length === 0 ? { sent: 0 } : await sendWakes(deps, waiting);
    deps.metrics.dispatched({ sent });
  } catch (err) {
    deps.metrics.dispatched({ sent: null });
    deps.log.warn({ err }, 'dispatcher: could not read the waiting commands');
  }
}
