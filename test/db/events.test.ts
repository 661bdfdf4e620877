import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { awaitUntil } from '../../harness/await-until.ts';
import { adoptEventCluster } from '../../src/db/event-cluster.ts';
import { openEventFeed } from '../../src/db/event-feed.ts';
import type { EventPosition } from '../../src/db/stores/events.ts';
import type { LiveEvent, NewEvent } from '../../src/domain/event.ts';
import { createLogger } from '../../src/log/logger.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { minutesLater, NOW } from './seed.ts';

let db: TestDatabase;
let start: EventPosition;
const log = createLogger({ level: 'silent', format: 'json' });

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(async () => {
  await db.drop();
});

beforeEach(async () => {
  // not `endPosition`, which stays behind open transactions of other suites
  const [last] = await db.query<{ tx: string; seq: string }>(
    'select tx::text as tx, seq::text as seq from event order by event.tx desc, event.seq desc limit 1',
  );
  start = last ?? { tx: '0', seq: '0' };
});

const events = () => db.database.stores.events;

/** Reads until this number of events is available. */
const readAll = (after: EventPosition, count: number) =>
  awaitUntil(async () => {
    const found = await read(after);
    return found.texts.length >= count ? found : null;
  });

const event = (text: string, change: Partial<NewEvent> = {}): NewEvent => ({
  kind: 'sync.finished',
  integrationId: null,
  actor: 'system',
  text,
  ...change,
});

const add = (...texts: string[]) =>
  events().add(
    texts.map((text) => event(text)),
    NOW,
  );

/**
 * Everything after a position, as a reader of the stream gets it, two at a time. An open transaction in any
 * database of the server delays readers, and other suites have some.
 */
async function read(after: EventPosition): Promise<{ texts: string[]; position: EventPosition }> {
  const texts: string[] = [];
  let position = after;
  for (;;) {
    const page = await events().readAfter(position, 2);
    texts.push(...page.map((entry) => entry.event.text));
    const last = page.at(-1);
    if (last === undefined) return { texts, position };
    position = last.position;
  }
}

test('events are read in the order in which they were written, each once', async () => {
  await add('1', '2');
  await add('3');
  await add('4', '5');
  const first = await readAll(start, 5);
  expect(first.texts).toEqual(['1', '2', '3', '4', '5']);
  expect(await read(first.position)).toEqual({ texts: [], position: first.position });
  await add('6');
  expect((await readAll(first.position, 1)).texts).toEqual(['6']);
});

test('a transaction that commits late is not skipped by a reader that was there before', async () => {
  let commit = (): void => {};
  const held = new Promise<void>((resolve) => {
    commit = resolve;
  });
  let written = (): void => {};
  const isWritten = new Promise<void>((resolve) => {
    written = resolve;
  });
  const late = db.database.transaction(async (tx) => {
    await tx.events.add([event('late')], NOW);
    written();
    await held;
  });
  await isWritten;
  await add('early');
  const before = await read(start);
  expect(before.texts).toEqual([]); // the committed event waits for the uncommitted one
  commit();
  await late;
  expect((await readAll(before.position, 2)).texts).toEqual(['late', 'early']);
});

test('readers that resume at any time miss nothing during concurrent and slow writes', async () => {
  const observed: string[] = [];
  let position = start;
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (let round = 0; round < 10; round += 1) {
      await db.database.transaction(async (tx) => {
        await tx.events.add([event(`${writer}.${round}`)], NOW);
        if (writer % 2 === 0) await db.query('select pg_sleep($1)', [0.002 * writer]);
      });
    }
  });
  let writing = true;
  const reader = (async () => {
    for (let last = false; ; ) {
      const { texts, position: next } = await read(position);
      observed.push(...texts);
      position = next;
      if (last) return;
      last = !writing && observed.length >= 80;
    }
  })();
  await Promise.all(writers);
  writing = false;
  await reader;
  expect(observed).toHaveLength(80);
  expect(new Set(observed).size).toBe(80);
});

test('a reader resumes at the ID of its last event', async () => {
  await add('1', '2', '3');
  await readAll(start, 3);
  const [, second] = await events().readAfter(start, 10);
  const position = await events().positionOf(second?.event.id ?? '');
  expect(position).not.toBeNull();
  expect((await readAll(position ?? start, 1)).texts).toEqual(['3']);
  expect(await events().positionOf('evt_of_nobody')).toBeNull();
});

test('external text is stored without the characters that PostgreSQL cannot store', async () => {
  await events().add([event('a\u0000b', { data: { from: 'x\u0000\udc80y' } })], NOW);
  await readAll(start, 1);
  const [only] = await events().readAfter(start, 10);
  expect(only?.event).toMatchObject({ text: 'a\ufffdb', data: { from: 'x\ufffd\ufffdy' } });
});

test('a failed transaction leaves no event', async () => {
  const failing = db.database.transaction(async (tx) => {
    await tx.events.add([event('undone')], NOW);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  await add('done');
  expect((await readAll(start, 1)).texts).toEqual(['done']);
});

test('audit events are marked and hidden from users without permission', async () => {
  await events().add([event('a key', { kind: 'api_key.created' }), event('a sync')], NOW);
  await readAll(start, 2);
  const audits = (await events().readAfter(start, 10)).map((entry) => entry.audit);
  expect(audits).toEqual([true, false]);
  const texts = async (audit: boolean) =>
    (await events().list({ audit, kind: ['api_key.created'] }, { limit: 200, cursor: null })).items.map(
      ({ text }) => text,
    );
  expect(await texts(true)).toContain('a key');
  expect(await texts(false)).toEqual([]);
});

test('old events are removed, audit events later', async () => {
  await events().add([event('old audit', { kind: 'api_key.removed' }), event('old')], NOW);
  await events().add([event('young')], minutesLater(60));
  await events().removeOlderThan({ before: minutesLater(30), auditBefore: minutesLater(-30) });
  expect((await readAll(start, 2)).texts).toEqual(['old audit', 'young']);
});

test('a commit wakes listeners, and they also receive live events, which are not stored', async () => {
  const feed = openEventFeed({ url: db.url, log });
  let wakes = 0;
  const live: LiveEvent[] = [];
  const unsubscribe = feed.subscribe({
    onStored: () => (wakes += 1),
    onLive: (one) => live.push(one),
    onRestored: () => {},
  });
  await awaitUntil(() => wakes > 0, { what: 'the feed to be connected' });
  const before = wakes;
  await add('hello');
  await awaitUntil(() => wakes > before);
  const progress: LiveEvent = {
    kind: 'scan.progress',
    at: NOW.toISOString(),
    integrationId: 'int_x',
    repositoryId: null,
    data: { phase: 'scanning' },
  };
  await events().publishLive(progress);
  await awaitUntil(() => live.length > 0);
  expect(live).toEqual([progress]);
  unsubscribe();
  await add('nobody');
  await feed.close();
  expect((await readAll(start, 2)).texts).toEqual(['hello', 'nobody']);
});

test('a feed whose connection is cut reconnects by itself', async () => {
  const feed = openEventFeed({ url: db.url, log });
  let wakes = 0;
  feed.subscribe({ onStored: () => (wakes += 1), onLive: () => {}, onRestored: () => {} });
  await awaitUntil(() => wakes > 0);
  await db.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and query like 'listen%'`,
  );
  const before = wakes;
  await awaitUntil(() => wakes > before, { timeoutMs: 4_000, what: 'the feed to connect again' });
  const connected = wakes;
  await add('after');
  await awaitUntil(() => wakes > connected, { timeoutMs: 2_000 });
  await feed.close();
});

test('a feed that never reached the database can be closed', async () => {
  const feed = openEventFeed({ url: 'postgresql://secu:x@127.0.0.1:1/secu', log });
  await feed.close();
});

test('after a dump is restored into another cluster, events keep their order, and new ones are neither skipped nor delayed', async () => {
  await add('old 1', 'old 2');
  // positions of the dump's cluster are far ahead of this one
  await db.query(`update event set tx = '900000000000'::xid8`);
  await db.query(`delete from event_cluster`);
  await db.query(`insert into event_cluster (id) values ('another cluster')`);
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  try {
    expect(await adoptEventCluster(client)).toBe(true);
    expect(await adoptEventCluster(client)).toBe(false);
  } finally {
    await client.end();
  }
  const known = await db.query<{ id: string; text: string }>('select id, text from event order by seq');
  const last = known.at(-1);
  const position = await events().positionOf(last?.id ?? '');
  if (position === null) throw new Error('no position');
  expect(await events().isHeldBack(position)).toBe(false);
  await add('new');
  expect((await readAll(position, 1)).texts).toEqual(['new']);
  const all = await readAll({ tx: '0', seq: '0' }, known.length + 1);
  expect(all.texts).toEqual([...known.map(({ text }) => text), 'new']);
});

test.each(['another cluster', 'this cluster'])(
  'a restore from %s while the feed is connected is reported to its readers',
  async (from) => {
    const feed = openEventFeed({ url: db.url, log, pollEveryMs: 50 });
    let wakes = 0;
    let restores = 0;
    feed.subscribe({ onStored: () => (wakes += 1), onLive: () => {}, onRestored: () => (restores += 1) });
    try {
      await awaitUntil(() => wakes > 3);
      expect(restores).toBe(0);
      await add('from the dump');
      if (from === 'another cluster') await db.query(`update event_cluster set id = 'another cluster'`);
      await db.query(`update event set tx = '900000000000'::xid8`);
      await awaitUntil(() => restores > 0);
      expect(await db.query('select distinct tx::text as tx from event')).toEqual([{ tx: '3' }]);
      const after = wakes;
      await awaitUntil(() => wakes > after + 3);
      expect(restores).toBe(1);
    } finally {
      await feed.close();
    }
  },
);

test.each([
  ['larger', '900000000000'],
  ['smaller', '5'],
])(
  'a foreign cluster whose transaction ids are %s is noticed when the event feed connects',
  async (_what, tx) => {
    await db.query(`update event set tx = $1::text::xid8`, [tx]);
    await db.query(`update event_cluster set id = 'another cluster'`);
    const feed = openEventFeed({ url: db.url, log });
    try {
      await awaitUntil(async () => {
        const [row] = await db.query<{ id: string }>('select id from event_cluster');
        return row?.id !== 'another cluster';
      });
      expect(await db.query('select distinct tx::text as tx from event')).toEqual([{ tx: '3' }]);
    } finally {
      await feed.close();
    }
  },
);

test('the end position is that of the highest transaction by number, not by its digits', async () => {
  await events().add([event('nine'), event('ten')], NOW);
  await db.query(`update event set tx = '3'`);
  await db.query(`update event set tx = '9' where text = 'nine'`);
  await db.query(`update event set tx = '10' where text = 'ten'`);
  expect((await events().endPosition()).tx).toBe('10');
});
