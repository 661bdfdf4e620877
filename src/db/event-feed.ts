import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { LiveEvent } from '../domain/event.ts';
import type { Log } from '../log/logger.ts';
import { adoptEventCluster, readEventEpoch } from './event-cluster.ts';

interface EventListener {
  onStored: () => void;
  onLive: (event: LiveEvent) => void;
  /** A dump was restored: positions that were read before mean nothing any more. */
  onRestored: () => void;
}

/** Wakes readers of the event stream. `NOTIFY` only wakes; the rows are the truth. */
export interface EventFeed {
  /** @returns a function that ends the subscription */
  subscribe(listener: EventListener): () => void;
  close(): Promise<void>;
}

const POLL_EVERY_MS = 5_000;
const RECONNECT_AFTER_MS = 1_000;

/**
 * One `LISTEN` connection per process, and a poll every 5 s: for what a lost connection missed, and for a dump that
 * was restored while the connection was open.
 */
export function openEventFeed(input: { url: string; log: Log; pollEveryMs?: number }): EventFeed {
  const { url, log, pollEveryMs = POLL_EVERY_MS } = input;
  const listeners = createListeners(log);
  const cluster = createClusterCheck({ log, onRestored: listeners.onRestored });
  let client: pg.Client | null = null;
  let closed = false;

  const poll = setInterval(() => {
    listeners.onStored();
    void cluster.checkWhileOpen(client);
  }, pollEveryMs).unref();

  async function connect(): Promise<void> {
    if (closed) return;
    const next = new pg.Client({ connectionString: url, keepAlive: true });
    next.on('error', (err) => log.warn({ err }, 'event feed lost its connection'));
    next.on('end', () => void reconnectLater());
    next.on('notification', listeners.onNotification);
    try {
      await next.connect();
      await cluster.check(next);
      await next.query('listen secu_event; listen secu_live');
      client = next;
      listeners.onStored();
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
    subscribe: listeners.subscribe,
    async close() {
      closed = true;
      clearInterval(poll);
      await connecting;
      await client?.end();
    },
  };
}

function createListeners(log: Log) {
  const listeners = new Set<EventListener>();
  const onStored = () => {
    for (const listener of listeners) listener.onStored();
  };
  return {
    onStored,
    onRestored: () => {
      for (const listener of listeners) listener.onRestored();
    },
    onNotification: ({ channel, payload }: pg.Notification) => {
      if (channel === 'secu_event') onStored();
      else for (const listener of listeners) publishToListener(listener, payload ?? '', log);
    },
    subscribe: (listener: EventListener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Notices that a dump was restored, and takes over the events of another database cluster. */
function createClusterCheck({ log, onRestored }: { log: Log; onRestored: () => void }) {
  let epoch: string | null = null;
  let isChecking = false;

  async function check(client: pg.Client): Promise<void> {
    if (await adoptEventCluster(client)) log.info({}, 'events of another database cluster were taken over');
    const current = await readEventEpoch(client);
    const isRestored = epoch !== null && epoch !== current;
    epoch = current;
    if (isRestored) onRestored();
  }

  /** Never throws; does nothing without a connection, or while the last check runs. */
  async function checkWhileOpen(client: pg.Client | null): Promise<void> {
    if (client === null || isChecking) return;
    isChecking = true;
    try {
      await check(client);
    } catch (err) {
      // while a dump is being restored, the tables may be missing or locked
      log.warn({ err }, 'event feed cannot check the database cluster');
    } finally {
      isChecking = false;
    }
  }

  return { check, checkWhileOpen };
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
