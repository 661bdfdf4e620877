import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { LiveEvent } from '../domain/event.ts';
import type { Log } from '../log/logger.ts';
import { adoptEventCluster } from './event-cluster.ts';

/** Wakes readers of the event stream. `NOTIFY` only wakes; the rows are the truth. */
export interface EventFeed {
  /** @returns a function that ends the subscription */
  subscribe(listener: { onStored: () => void; onLive: (event: LiveEvent) => void }): () => void;
  close(): Promise<void>;
}

const POLL_EVERY_MS = 5_000;
const RECONNECT_AFTER_MS = 1_000;

/** One `LISTEN` connection per process, and a poll every 5 s for what a lost connection missed. */
export function openEventFeed({ url, log }: { url: string; log: Log }): EventFeed {
  const listeners = new Set<Parameters<EventFeed['subscribe']>[0]>();
  const wakeAll = () => {
    for (const listener of listeners) listener.onStored();
  };
  const poll = setInterval(wakeAll, POLL_EVERY_MS);
  poll.unref();
  let client: pg.Client | null = null;
  let closed = false;

  async function connect(): Promise<void> {
    if (closed) return;
    const next = new pg.Client({ connectionString: url, keepAlive: true });
    next.on('error', (err) => log.warn({ err }, 'event feed lost its connection'));
    next.on('end', () => void reconnectLater());
    next.on('notification', ({ channel, payload }) => {
      if (channel === 'secu_event') wakeAll();
      else for (const listener of listeners) publishToListener(listener, payload ?? '', log);
    });
    try {
      await next.connect();
      if (await adoptEventCluster(next)) log.info({}, 'events of another database cluster were taken over');
      await next.query('listen secu_event; listen secu_live');
      client = next;
      wakeAll();
    } catch (err) {
      log.warn({ err }, 'event feed cannot connect');
      await next.end().catch((cause: unknown) => log.debug({ err: cause }, 'event feed: nothing to end'));
    }
  }

  async function reconnectLater(): Promise<void> {
    client = null;
    if (closed) return;
    await delay(RECONNECT_AFTER_MS, undefined, { ref: false });
    await connect();
  }

  const connecting = connect();
  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      clearInterval(poll);
      await connecting;
      await client?.end();
    },
  };
}

function publishToListener(
  listener: { onLive: (event: LiveEvent) => void },
  payload: string,
  log: Log,
): void {
  try {
    // written by our own `publishLive` store function
    listener.onLive(JSON.parse(payload) as LiveEvent);
  } catch (err) {
    log.warn({ err }, 'event feed: a notification that is no live event');
  }
}
