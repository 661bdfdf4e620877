import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import type { LiveEvent, NewEvent } from '../../src/domain/event.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { EventStream } from '../support/event-stream.ts';
import { openStream } from '../support/event-stream.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let api: TestApi;
const open: EventStream[] = [];

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world);
});

afterEach(async () => {
  for (const stream of open.splice(0)) await stream.close();
});

afterAll(async () => {
  await world.close();
});

const event = (text: string, change: Partial<NewEvent> = {}): NewEvent => ({
  kind: 'sync.finished',
  integrationId: null,
  actor: 'system',
  text,
  ...change,
});

const add = (...events: NewEvent[]) => world.database.stores.events.add(events, new Date());

/** Until what is stored can be read: an open transaction of any suite on this server holds readers back. */
async function allReadable(): Promise<void> {
  const { events } = world.database.stores;
  await awaitUntil(async () => !(await events.isHeldBack(await events.endPosition())));
}

async function connect(options: { lastEventId?: string; as?: 'viewer' | 'admin'; key?: string } = {}) {
  const { as = 'viewer', key = api.keys[as], ...rest } = options;
  const stream = await openStream({ url: `${api.url}/api/v1/events/stream`, key, ...rest });
  open.push(stream);
  return stream;
}

const texts = (stream: EventStream) =>
  stream.events.filter(({ id }) => id !== null).map(({ data }) => data.text);

test('an open stream ends when a dump of another cluster was restored, and resumes without a gap or a repetition', async () => {
  const stream = await connect();
  await add(event('before 1'), event('before 2'));
  await stream.stored(2);
  await world.db.query(`update event set tx = '900000000000'::xid8`);
  await world.db.query(`update event_cluster set id = 'another cluster'`);
  await add(event('after'));
  await awaitUntil(() => stream.ended, { timeoutMs: 10_000, what: 'the end of the stream' });
  const resumed = await connect({ lastEventId: stream.events.at(-1)?.id ?? '' });
  await add(event('later'));
  await awaitUntil(() => texts(resumed).includes('later'));
  expect([...texts(stream), ...texts(resumed)]).toEqual(['before 1', 'before 2', 'after', 'later']);
});

test('events are listed newest first, in the documented form', async () => {
  await add(
    event('older'),
    event('newer', { integrationId: 'int_x', repositoryId: 'rep_x', data: { a: 1 } }),
  );
  const { body } = await api.call('GET events?limit=2', { as: 'viewer' });
  expect(body.items).toEqual([
    {
      id: expect.stringMatching(/^evt_[0-9A-Z]{26}$/),
      at: expect.stringMatching(/Z$/),
      kind: 'sync.finished',
      integrationId: 'int_x',
      repositoryId: 'rep_x',
      actor: 'system',
      text: 'newer',
      data: { a: 1 },
    },
    expect.objectContaining({ text: 'older' }),
  ]);
});

test('events are filtered by integration and kind, and paged', async () => {
  await add(
    ...['1', '2', '3'].map((text) => event(text, { kind: 'sync.failed', integrationId: 'int_f' })),
    event('other kind', { integrationId: 'int_f' }),
    event('other integration', { kind: 'sync.failed' }),
  );
  const first = await api.call('GET events?kind=sync.failed,scan.failed&integrationId=int_f&limit=2');
  expect(first.body.items.map((one: { text: string }) => one.text)).toEqual(['3', '2']);
  const cursor = encodeURIComponent(first.body.nextCursor);
  const second = await api.call(
    `GET events?kind=sync.failed,scan.failed&integrationId=int_f&limit=2&cursor=${cursor}`,
  );
  expect(second.body.items.map((one: { text: string }) => one.text)).toEqual(['1']);
  expect(second.body.nextCursor).toBeNull();
});

test('text of foreign origin has its control and direction characters made visible', async () => {
  await add(event('a\u202eb\u0007', { actor: 'key:x\u200b', data: { from: 'p\u202eq', list: ['\u0007'] } }));
  const { text } = await api.call('GET events?limit=1');
  expect(text).not.toMatch(/[\u202e\u200b]/);
  expect(JSON.parse(text).items[0]).toMatchObject({
    text: 'a\\u202eb\\u0007',
    actor: 'key:x\\u200b',
    data: { from: 'p\\u202eq', list: ['\\u0007'] },
  });
});

test('a stream without Last-Event-ID starts now', async () => {
  await add(event('before'));
  await allReadable();
  const stream = await connect();
  expect(stream.status).toBe(200);
  expect(stream.headers.get('Content-Type')).toMatch(/^text\/event-stream/);
  expect(stream.headers.get('X-Request-Id')).not.toBeNull();
  await add(event('after'));
  const [first] = await stream.stored(1);
  expect(first).toMatchObject({ id: first?.data.id, kind: 'sync.finished', data: { text: 'after' } });
  expect(texts(stream)).not.toContain('before');
});

test('resuming with the last id skips nothing and repeats nothing', async () => {
  const before = await connect();
  await add(event('1'), event('2'));
  const observed = await before.stored(2);
  await before.close();
  await add(event('3'), event('4'));
  await add(event('5'));
  const lastEventId = `${observed.at(-1)?.id}`;
  const after = await connect({ lastEventId });
  await after.stored(3);
  await add(event('6'));
  await after.stored(4);
  expect(texts(after)).toEqual(['3', '4', '5', '6']);
});

test('readers that reconnect during concurrent writes see every event once, in one order', async () => {
  await allReadable();
  const first = await connect();
  const observed: { id: string | null; data: { text: string } }[] = [];
  const writing = Promise.all(
    Array.from({ length: 6 }, async (_, writer) => {
      for (let round = 0; round < 10; round += 1) {
        await world.database.transaction(async (tx) => {
          await tx.events.add([event(`${writer}.${round}`)], new Date());
          if (writer % 2 === 0) await world.db.query('select pg_sleep(0.01)');
        });
      }
    }),
  );
  let stream = first;
  for (let reconnects = 0; reconnects < 4; reconnects += 1) {
    await stream.stored(Math.min(5, 60 - observed.length));
    await stream.close();
    observed.push(...stream.events.filter(({ id }) => id !== null));
    stream = await connect({ lastEventId: `${observed.at(-1)?.id}` });
  }
  await writing;
  observed.push(...(await stream.stored(60 - observed.length)));
  expect(observed.map(({ data }) => data.text)).toHaveLength(60);
  expect(new Set(observed.map(({ id }) => id)).size).toBe(60);
  for (let writer = 0; writer < 6; writer += 1) {
    const own = observed.map(({ data }) => data.text).filter((text) => text.startsWith(`${writer}.`));
    expect(own).toEqual(Array.from({ length: 10 }, (_, round) => `${writer}.${round}`));
  }
});

test('an event arrives promptly, even when another transaction was open when it was stored', async () => {
  await allReadable();
  const stream = await connect();
  let end = (): void => {};
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const other = world.database.transaction(async (tx) => {
    await tx.integrations.takenNames(); // has no transaction id of its own yet
    await tx.apiKeys.remove({ id: 'none', now: new Date() });
    await tx.keys.addDataKey({ purpose: 'probe', sealed: Buffer.from('x'), keyId: 'x', now: new Date() });
    await held;
  });
  await awaitUntil(async () => {
    const [row] = await world.db.query<{ open: boolean }>(
      `select count(*) > 0 as open from pg_stat_activity
       where datname = current_database() and backend_xid is not null and state = 'idle in transaction'`,
    );
    return row?.open;
  });
  await add(event('behind'));
  await delay(200); // the reader was woken and found nothing that it may read yet
  end();
  await other;
  await allReadable();
  // not only with the comment of every 15 s, when the reader looks in any case
  await stream.stored(1, 13_000);
});

test('live events are streamed without an id and are not stored', async () => {
  const stream = await connect();
  const live = {
    kind: 'scan.progress',
    at: new Date().toISOString(),
    integrationId: 'int_x',
    repositoryId: 'rep_x',
    data: { phase: 'scanning' },
  } as const;
  await awaitUntil(async () => {
    await world.database.stores.events.publishLive(live);
    return stream.events.length > 0;
  });
  expect(stream.events[0]).toEqual({ id: null, kind: 'scan.progress', data: live });
  const { body } = await api.call('GET events?kind=scan.progress');
  expect(body.items).toEqual([]);
});

test('audit events reach only administrators, who can resume after one', async () => {
  const [viewer, admin] = [await connect(), await connect({ as: 'admin' })];
  await add(event('secret', { kind: 'api_key.created' }), event('open'));
  await admin.stored(2);
  await viewer.stored(1);
  expect(texts(viewer)).toEqual(['open']);
  expect(texts(admin)).toEqual(['secret', 'open']);
  const resumed = await connect({ as: 'viewer', lastEventId: `${admin.events[0]?.id}` });
  await resumed.stored(1);
  expect(texts(resumed)).toEqual(['open']);
});

test('an invalid Last-Event-ID is 400; a deleted one resumes at the oldest stored event', async () => {
  const bad = await connect({ lastEventId: 'evt_1' });
  expect(bad.status).toBe(400);
  await add(event('oldest'), event('youngest'));
  const [oldest] = await world.db.query<{ text: string }>('select text from event order by tx, seq limit 1');
  const stream = await connect({ as: 'admin', lastEventId: `evt_${'0'.repeat(26)}` });
  await awaitUntil(() => texts(stream).includes('youngest'));
  expect(texts(stream)[0]).toBe(oldest?.text);
});

test('a stream ends with its key', async () => {
  const { body } = await api.call('POST api-keys', { json: { name: 'watcher', role: 'viewer' } });
  const stream = await connect({ key: body.value });
  await add(event('seen'));
  await stream.stored(1);
  await api.call(`DELETE api-keys/${body.id}`);
  await awaitUntil(() => stream.ended, { timeoutMs: 13_000 });
  await add(event('unseen'));
  expect(texts(stream)).not.toContain('unseen');
});

test.each(['findings.csv', 'findings.sarif', 'events/stream', 'expiry.ics'])(
  'HEAD of %s ends',
  async (path) => {
    const answer = await api.call(`HEAD ${path}`);
    expect(answer).toMatchObject({ status: 200, text: '' });
  },
);

test('a reader that never reads is disconnected, and what waits for it is bounded', async () => {
  const { hostname, port } = new URL(api.url);
  const socket = createConnection({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  socket.write(
    `GET /api/v1/events/stream HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${api.keys.viewer}\r\n\r\n`,
  );
  const [head] = await once(socket, 'data');
  expect(String(head)).toMatch(/^HTTP\/1.1 200/);
  socket.pause();
  const closed = Promise.withResolvers<void>();
  socket.once('error', () => closed.resolve());
  socket.once('close', () => closed.resolve());
  const text = 'x'.repeat(6_000);
  let sentBytes = 0;
  for (let batch = 0; batch < 60; batch += 1) {
    for (let n = 0; n < 100; n += 1) {
      const live = {
        kind: 'scan.progress',
        at: new Date().toISOString(),
        integrationId: 'int_x',
        repositoryId: null,
      };
      await world.database.stores.events.publishLive({ ...live, data: { text } } as LiveEvent);
      sentBytes += text.length;
    }
  }
  let receivedBytes = 0;
  socket.on('data', (chunk: Buffer) => {
    receivedBytes += chunk.length;
  });
  socket.resume();
  await closed.promise;
  expect(receivedBytes).toBeLessThan(sentBytes / 2);
  const stream = await connect();
  await add(event('for the next reader'));
  await stream.stored(1);
});

test('a stream is closed when its client disconnects', async () => {
  const streams = await Promise.all(Array.from({ length: 5 }, () => connect()));
  for (const stream of streams) await stream.close();
  await add(event('after all are gone'));
  expect((await api.call('GET overview')).status).toBe(200);
});
