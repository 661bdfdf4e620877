import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { newId } from '../../src/db/new-id.ts';
import { sendWakes } from '../../src/db/wakes.ts';
import { SecuError } from '../../src/domain/errors.ts';
import type { Starters } from '../../src/domain/ports.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { minutesLater, NOW, seedIntegration } from './seed.ts';

let db: TestDatabase;
let integrationId: string;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(async () => {
  await db.drop();
});

beforeEach(async () => {
  integrationId = await seedIntegration(db.database);
});

const commands = () => db.database.stores.commands;
const outbox = () => db.database.stores.outbox;

/** Creates commands at different times, because IDs of the same millisecond have no order. */
async function addInTurn(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const atMs = Date.now();
    ids.push(await commands().add({ integrationId, kind: 'verify', now: NOW }));
    await awaitUntil(() => Date.now() > atMs);
  }
  return ids;
}

test('the oldest command is claimed first, and stays claimed until it is finished', async () => {
  const [first, second] = await addInTurn(2);
  const claim = () => commands().claimOldest({ integrationId, now: NOW });
  expect(await claim()).toEqual({ id: first, kind: 'verify', requestId: null });
  const found = await commands().find({ id: `${first}`, kind: 'verify' });
  expect(found).toMatchObject({ state: 'claimed', result: null, payload: {} });
  expect(await claim()).toMatchObject({ id: first });
  expect(
    await commands().finish({ id: `${first}`, kind: 'verify', result: { verdict: 'active' }, now: NOW }),
  ).toBe(true);
  expect(await claim()).toMatchObject({ id: second });
  await commands().finish({ id: `${second}`, kind: 'verify', result: { verdict: 'active' }, now: NOW });
  expect(await claim()).toBeNull();
});

test('a command is finished once, however many callers try concurrently; the first result stays', async () => {
  const payload = { credentialId: newId('credential'), acceptLoss: false };
  const kind = 'replace_token';
  const id = await commands().add({ integrationId, kind, payload, now: NOW });
  const owner = { before: null, after: null };
  const results = await Promise.all(
    Array.from({ length: 10 }, (_, lost) =>
      commands().finish({ id, kind, result: { code: 'reach_shrinks', known: 10, lost, owner }, now: NOW }),
    ),
  );
  expect(results.filter(Boolean)).toHaveLength(1);
  expect(await commands().find({ id, kind })).toMatchObject({
    state: 'done',
    result: { lost: results.indexOf(true) },
  });
});

test('concurrent claims all get the same command and its first claim time', async () => {
  const [id] = await addInTurn(3);
  const claimed = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      commands().claimOldest({ integrationId, now: minutesLater(index) }),
    ),
  );
  expect(new Set(claimed.map((command) => command?.id))).toEqual(new Set([id]));
  const [row] = await db.query<{ count: number }>(
    `select count(*)::int as count from command where integration_id = $1 and state = 'claimed'`,
    [integrationId],
  );
  expect(row?.count).toBe(1);
});

test('a payload is returned unchanged, and an integration never claims the commands of another', async () => {
  const other = await seedIntegration(db.database);
  const payload = { credentialId: newId('credential'), acceptLoss: true };
  const kind = 'replace_token';
  const id = await commands().add({ integrationId: other, kind, payload, now: NOW });
  expect(await commands().claimOldest({ integrationId, now: NOW })).toBeNull();
  expect(await commands().claimOldest({ integrationId: other, now: NOW })).toMatchObject({ id });
  expect(await commands().find({ id, kind })).toMatchObject({ payload });
  expect(await commands().find({ id, kind: 'verify' })).toBeNull();
});

test('a command whose row lacks what its kind needs is an internal error', async () => {
  const id = await commands().add({ integrationId, kind: 'rotate', payload: { force: true }, now: NOW });
  await db.query(`update command set payload = '{"force":"yes"}' where id = $1`, [id]);
  await expect(commands().find({ id, kind: 'rotate' })).rejects.toMatchObject({ code: 'internal' });
});

const unavailable: Starters = {
  wakeIntegration: () => Promise.reject(new SecuError('temporal_unavailable', 'away')),
  wakeFleet: () => Promise.reject(new SecuError('temporal_unavailable', 'away')),
  cancelScan: () => Promise.resolve(),
  cancelAll: () => Promise.resolve(),
  getWorkflowState: () => Promise.resolve('closed'),
  terminate: () => Promise.resolve(),
  async *openIds() {},
};

/** Records the wakes; `fail` may reject one. */
function noting(fail: (id: string) => void = () => {}) {
  const woken: string[] = [];
  const wake = (kind: string) => async (id: string) => {
    fail(id);
    woken.push(`${kind} ${id}`);
  };
  return {
    woken,
    starters: { ...unavailable, wakeIntegration: wake('integration'), wakeFleet: wake('fleet') },
  };
}

const waiting = async () =>
  (await outbox().waiting({ before: minutesLater(60), limit: 1_000 })).filter(
    (entry) => entry.integrationId === integrationId,
  );

test('a wake of a failed transaction is not sent', async () => {
  const failing = db.database.transaction(async (tx) => {
    await tx.outbox.add({ kind: 'wake_fleet', integrationId, now: NOW });
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await waiting()).toEqual([]);
});

test('sent wakes are removed; while Temporal is unavailable they wait in order', async () => {
  const entries = [
    await outbox().add({ kind: 'wake_integration', integrationId, now: NOW }),
    await outbox().add({ kind: 'wake_fleet', integrationId, now: NOW }),
  ];
  expect(await sendWakes({ database: db.database, starters: unavailable }, entries)).toEqual({ sent: 0 });
  expect(await waiting()).toEqual(entries);
  const { woken, starters } = noting();
  expect(await sendWakes({ database: db.database, starters }, await waiting())).toEqual({ sent: 2 });
  expect(woken).toEqual([`integration ${integrationId}`, `fleet ${integrationId}`]);
  expect(await waiting()).toEqual([]);
});

test('if Temporal becomes unavailable halfway, sent wakes are not sent again', async () => {
  const other = await seedIntegration(db.database);
  const first = await outbox().add({ kind: 'wake_integration', integrationId: other, now: NOW });
  const second = await outbox().add({ kind: 'wake_integration', integrationId, now: NOW });
  const { starters } = noting((id) => {
    if (id === integrationId) throw new SecuError('temporal_unavailable', 'away');
  });
  expect(await sendWakes({ database: db.database, starters }, [first, second])).toEqual({ sent: 1 });
  expect(await outbox().waiting({ before: NOW, limit: 1_000 })).toEqual([second]);
});

test('another failure of one wake is reported, and does not delay the following ones', async () => {
  const first = await outbox().add({ kind: 'wake_integration', integrationId, now: NOW });
  const second = await outbox().add({ kind: 'wake_fleet', integrationId, now: NOW });
  const { starters, woken } = noting();
  const broken: Starters = { ...starters, wakeIntegration: () => Promise.reject(new TypeError('a bug')) };
  await expect(sendWakes({ database: db.database, starters: broken }, [first, second])).rejects.toThrow(
    'a bug',
  );
  expect(woken).toEqual([`fleet ${integrationId}`]);
  expect(await waiting()).toEqual([first]);
});

test('the outbox loop leaves new wakes to their writers', async () => {
  await outbox().add({ kind: 'wake_fleet', integrationId, now: minutesLater(1) });
  const observed = await outbox().waiting({ before: NOW, limit: 1_000 });
  expect(observed.filter((entry) => entry.integrationId === integrationId)).toEqual([]);
});

const key = (change: Partial<{ principal: string; route: string; key: string; bodyHash: string }> = {}) => ({
  principal: 'key_a',
  route: 'POST /integrations',
  key: integrationId,
  bodyHash: 'one',
  now: NOW,
  ...change,
});

test('an idempotency key is claimed by one of many callers, and returns its answer once there is one', async () => {
  const { idempotency } = db.database.stores;
  const claims = await Promise.all(Array.from({ length: 8 }, () => idempotency.claim(key())));
  expect(claims.filter((entry) => entry === null)).toHaveLength(1);
  expect(claims.find((entry) => entry !== null)).toEqual({
    bodyHash: 'one',
    status: null,
    response: null,
    location: null,
  });
  await idempotency.complete({ ...key(), status: 201, response: { id: 'int_x' }, location: '/x' });
  expect(await idempotency.claim(key({ bodyHash: 'two' }))).toEqual({
    bodyHash: 'one',
    status: 201,
    response: { id: 'int_x' },
    location: '/x',
  });
});

test('the same key of another principal or route is independent; a released key is free', async () => {
  const { idempotency } = db.database.stores;
  expect(await idempotency.claim(key())).toBeNull();
  expect(await idempotency.claim(key({ principal: 'key_b' }))).toBeNull();
  expect(await idempotency.claim(key({ route: 'POST /api-keys' }))).toBeNull();
  await idempotency.release(key());
  expect(await idempotency.claim(key())).toBeNull();
});

test('a key is stored for a day, or two minutes if its request died', async () => {
  const { idempotency } = db.database.stores;
  await idempotency.claim(key());
  expect(await idempotency.claim({ ...key(), now: minutesLater(1) })).not.toBeNull();
  expect(await idempotency.claim({ ...key(), now: minutesLater(3) })).toBeNull();
  await idempotency.complete({ ...key(), status: 202, response: {}, location: null });
  expect(await idempotency.claim({ ...key(), now: minutesLater(3 + 23 * 60) })).toMatchObject({
    status: 202,
  });
  expect(await idempotency.claim({ ...key(), now: minutesLater(4 + 24 * 60) })).toBeNull();
});

test('only one sync is open at a time: a request joins it and preserves that removals were accepted', async () => {
  const { syncs } = db.database.stores;
  const opened = await Promise.all(
    Array.from({ length: 6 }, () => syncs.open({ integrationId, trigger: 'manual', now: NOW })),
  );
  expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
  expect(opened.filter(({ isNew }) => isNew)).toHaveLength(1);
  const id = `${opened[0]?.id}`;
  await syncs.open({ integrationId, trigger: 'manual', acceptRemovals: true, now: NOW });
  await syncs.open({ integrationId, trigger: 'schedule', now: NOW });
  expect(await syncs.find(id)).toMatchObject({ acceptRemovals: true, trigger: 'manual', state: 'queued' });
});

test('a sync ends once, and the next request opens another one', async () => {
  const { syncs } = db.database.stores;
  const { id } = await syncs.open({ integrationId, trigger: 'manual', now: NOW });
  expect(await syncs.start({ activeSince: null, id, now: NOW })).toBe(true);
  const counts = {
    listed: 3,
    added: 1,
    renamed: 0,
    excluded: 0,
    missing: 0,
    returned: 0,
    removed: 0,
    queuedScans: 1,
  };
  const end = () =>
    syncs.end({
      id,
      state: 'done',
      cause: null,
      complete: true,
      counts,
      unreadable: [],
      now: minutesLater(1),
    });
  expect(await end()).toBe(true);
  expect(await end()).toBe(false);
  expect(await syncs.start({ activeSince: null, id, now: NOW })).toBe(false);
  expect(await syncs.find(id)).toMatchObject({ state: 'done', listed: 3, finishedAt: minutesLater(1) });
  expect(await syncs.open({ integrationId, trigger: 'manual', now: NOW })).toMatchObject({ isNew: true });
});

test('old syncs are removed, but never the last one', async () => {
  const { syncs } = db.database.stores;
  const old = async () => {
    const atMs = Date.now();
    const { id } = await syncs.open({ integrationId, trigger: 'schedule', now: NOW });
    await db.query(`update sync_run set state = 'done', finished_at = $2 where id = $1`, [id, NOW]);
    await awaitUntil(() => Date.now() > atMs);
    return id;
  };
  const ids = [await old(), await old(), await old()];
  await syncs.removeOlderThan(minutesLater(1));
  const remaining = await db.query(`select id from sync_run where integration_id = $1`, [integrationId]);
  expect(remaining).toEqual([{ id: ids[2] }]);
});
