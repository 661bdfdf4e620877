import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { newId } from '../../src/db/new-id.ts';
import { isIdOf } from '../../src/domain/ids.ts';
import { addChannel, flagEvent } from '../support/channels.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
});
afterAll(() => world.close());
afterEach(async () => {
  await world.db.query('delete from channel');
});

const url = 'https://hooks.example.com/in';
const owed = (channelId: string) =>
  world.db
    .query<{ kind: string }>('select kind from delivery where channel_id = $1 order by id', [channelId])
    .then((rows) => rows.map(({ kind }) => kind));
const add = (...events: Parameters<TestWorld['database']['stores']['events']['add']>[0]) =>
  world.database.transaction((tx) => tx.events.add(events, new Date()));

test('an event and its deliveries are written together or not at all', async () => {
  const channelId = await addChannel(world, { url });
  const failing = world.database.transaction(async (tx) => {
    await tx.events.add([flagEvent(null)], new Date());
    throw new Error('and then something else failed');
  });
  await expect(failing).rejects.toThrow('something else');
  expect(await owed(channelId)).toEqual([]);
  await add(flagEvent(null));
  expect(await owed(channelId)).toEqual(['integration.expiry_flagged']);
});

test('each channel gets each event once, with its own ID that sorts by time', async () => {
  await addChannel(world, { url });
  await addChannel(world, { url });
  await add(flagEvent(null), flagEvent(null));
  const rows = await world.db.query<{ id: string }>('select id from delivery');
  expect(rows).toHaveLength(4);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(4);
  for (const { id } of rows) expect([id, isIdOf('delivery', id)]).toEqual([id, true]);
});

test('a channel gets only the selected event kinds and integrations, and findings of its minimum severity', async () => {
  const [mine, other] = [newId('integration'), newId('integration')];
  const finding = (severity: string, integrationId = mine) =>
    flagEvent(integrationId, { kind: 'finding.opened', data: { severity } });
  const byDefault = await addChannel(world, { url });
  const findings = await addChannel(world, {
    url,
    events: ['finding.opened', 'sync.finished'],
    minSeverity: 'high',
  });
  const ofOne = await addChannel(world, { url, integrationIds: [mine] });
  const off = await addChannel(world, { url });
  await world.database.stores.channels.change(off, { enabled: false }, new Date());
  await add(
    flagEvent(mine),
    flagEvent(other),
    flagEvent(null),
    finding('critical'),
    finding('high', other),
    finding('medium'),
    finding('low'),
    flagEvent(mine, { kind: 'sync.finished', data: {} }),
    flagEvent(null, { kind: 'channel.created', data: {} }),
    flagEvent(mine, { kind: 'notification.failed', data: {} }),
  );
  expect((await owed(byDefault)).sort()).toEqual(Array(3).fill('integration.expiry_flagged'));
  expect((await owed(findings)).sort()).toEqual(['finding.opened', 'finding.opened', 'sync.finished']);
  expect(await owed(ofOne)).toEqual(['integration.expiry_flagged']);
  expect(await owed(off)).toEqual([]);
});

test('a channel that is removed while an event is written takes its deliveries with it, and the event stays', async () => {
  const channelId = await addChannel(world, { url });
  const waiting: Promise<unknown>[] = [];
  const integrationId = newId('integration');
  await world.database.transaction(async (tx) => {
    await tx.events.add([flagEvent(integrationId)], new Date());
    waiting.push(world.database.stores.channels.remove(channelId));
  });
  expect(await Promise.all(waiting)).toEqual([true]);
  expect(await world.db.query('select 1 from delivery where channel_id = $1', [channelId])).toEqual([]);
  expect(await world.db.query('select 1 from event where integration_id = $1', [integrationId])).toHaveLength(
    1,
  );
});

test('an event that is written while its channel is being removed waits, and is stored without a delivery', async () => {
  const channelId = await addChannel(world, { url });
  const integrationId = newId('integration');
  const writing: Promise<void>[] = [];
  await world.database.transaction(async (tx) => {
    await tx.channels.remove(channelId);
    writing.push(add(flagEvent(integrationId)));
    // it waits for this transaction, and must not fail because of it
    await awaitUntil(async () => {
      const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      return (await world.db.query(waiting)).length > 0;
    });
  });
  await Promise.all(writing);
  expect(await world.db.query('select 1 from event where integration_id = $1', [integrationId])).toHaveLength(
    1,
  );
});

test('a leased delivery cannot be sent again manually; a finished one can, from the start', async () => {
  const channelId = await addChannel(world, { url });
  await add(flagEvent(null));
  const { deliveries } = world.database.stores;
  const claim = () => deliveries.claim({ limit: 5, perChannel: 5, leaseMs: 60_000 });
  const [taken] = await claim();
  const id = taken?.id ?? '';
  await deliveries.retry(id);
  expect(await claim()).toEqual([]);
  await deliveries.failed({ id, attempt: 1, cause: 'timed_out', status: null, pauseMs: null });
  await deliveries.retry(id);
  expect(await claim()).toMatchObject([{ id, attempt: 2, failures: 0, channel: { id: channelId } }]);
});

test('finished deliveries are removed after the retention; pending ones stay', async () => {
  const channelId = await addChannel(world, { url });
  await add(flagEvent(null), flagEvent(null));
  await world.db.query(`update delivery set created_at = now() - interval '200 days'`);
  const { deliveries } = world.database.stores;
  const [taken] = await deliveries.claim({ limit: 1, perChannel: 5, leaseMs: 60_000 });
  await deliveries.sent({ id: taken?.id ?? '', attempt: 1, status: 200 });
  expect(await deliveries.removeOlderThan(new Date(Date.now() - 180 * 86_400_000))).toBe(1);
  expect(await owed(channelId)).toHaveLength(1);
});

test('a warning is shown while no working channel receives the expiry flags of every integration', async () => {
  const { channels } = world.database.stores;
  const gaps = (mail = true) => channels.expiryAlertGaps({ mail });
  expect(await gaps()).toEqual({ allIntegrations: true, integrations: [] });
  await addChannel(world, { url, events: ['scan.failed'] });
  expect((await gaps()).allIntegrations).toBe(true);
  const mail = await addChannel(world, { kind: 'email', to: 'a@example.com' });
  expect((await gaps()).allIntegrations).toBe(false);
  expect((await gaps(false)).allIntegrations).toBe(true);
  await channels.change(mail, { enabled: false }, new Date());
  expect((await gaps()).allIntegrations).toBe(true);
  const id = newId('integration');
  await world.database.stores.integrations.create({
    id,
    name: 'Alone',
    baseUrl: 'https://gitlab.com',
    filters: { include: [], exclude: [], archived: false, forks: true, personal: true },
    autoRotate: { enabled: false, daysBefore: 14 },
    now: new Date(),
  });
  await addChannel(world, { url, integrationIds: [newId('integration')] });
  expect(await gaps()).toEqual({ allIntegrations: false, integrations: [{ id, name: 'Alone' }] });
  await addChannel(world, { url, integrationIds: [id] });
  expect(await gaps()).toEqual({ allIntegrations: false, integrations: [] });
});
