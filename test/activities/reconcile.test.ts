import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import { NO_REPAIRS } from '../../src/activities/reconcile.ts';
import { newId } from '../../src/db/new-id.ts';
import { addChannel } from '../support/channels.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import { queuedScan } from './scan-support.ts';
import type { Activities } from './support.ts';
import { active, activitiesOf, pending, rowOf, run } from './support.ts';

const DAY_MS = 86_400_000;
let world: TestWorld;
let activities: Activities;

beforeAll(async () => {
  world = await createTestWorld({
    simulator: { recipes: fleetRecipes(1) },
    settings: { retentionMs: 180 * DAY_MS },
  });
});
afterAll(async () => {
  await world.close();
});
beforeEach(async () => {
  await world.db.query('delete from integration');
  await world.db.query('delete from event');
  activities = await activitiesOf(world);
});

const reconcile = (nowMs = Date.now()) => run(activities, 'reconcile', { nowMs });

test('an integration without a workflow gets one, also if it waits for its cleanup', async () => {
  const [runs, lost, removed] = [await pending(world), await pending(world), await pending(world)];
  await world.database.stores.integrations.remove({ id: removed.integrationId, now: new Date() });
  await world.db.query('delete from outbox');
  activities.starters.open.add(`integration ${runs.integrationId}`);
  expect(await reconcile()).toEqual({ ...NO_REPAIRS, integrationsStarted: 2 });
  expect(activities.starters.wakes).toEqual([
    `integration ${lost.integrationId}`,
    `integration ${removed.integrationId}`,
  ]);
});

test('a workflow whose code keeps failing is ended, and the next one starts from its rows', async () => {
  const { integrationId } = await active(world, activities);
  const { syncId } = await activities.openSync({ integrationId, nowMs: Date.now() });
  await world.db.query('delete from outbox');
  activities = await activitiesOf(world);
  activities.starters.stuck.add(`integration ${integrationId}`).add(`sync ${integrationId}`);
  expect(await reconcile()).toEqual({
    ...NO_REPAIRS,
    integrationsStarted: 1,
    syncsRequeued: 1,
    stuckEnded: 2,
  });
  expect(activities.starters.terminated).toEqual([`sync ${integrationId}`, `integration ${integrationId}`]);
  expect(activities.starters.wakes).toEqual([`integration ${integrationId}`]);
  expect(await rowOf(world, 'sync_run', syncId ?? '')).toMatchObject({ state: 'queued' });
});

test('a stuck scan is ended and left to its fleet; a stuck fleet is ended and restarted', async () => {
  const task = await queuedScan(world, activities);
  await world.db.query('delete from outbox');
  activities = await activitiesOf(world);
  activities.starters.open.add(`integration ${task.integrationId}`).add(`sync ${task.integrationId}`);
  activities.starters.stuck.add(`fleet ${task.integrationId}`);
  expect(await reconcile()).toEqual({ ...NO_REPAIRS, stuckEnded: 1, fleetsWoken: 1 });
  expect(activities.starters.wakes).toEqual([`fleet ${task.integrationId}`]);

  await world.database.stores.scans.begin({ id: task.scanId, now: new Date() });
  activities.starters.stuck.add(`scan ${task.repositoryId}`);
  expect(await reconcile()).toEqual({ ...NO_REPAIRS, stuckEnded: 1 });
  expect(activities.starters.terminated).toEqual([
    `fleet ${task.integrationId}`,
    `scan ${task.repositoryId}`,
  ]);
  expect(await rowOf(world, 'scan', task.scanId)).toMatchObject({ status: 'running' });
});

test('a workflow without a row is woken, which ends it; a stuck one is ended', async () => {
  const { open, stuck, wakes, terminated } = activities.starters;
  open.add('integration int_gone').add('sync int_gone').add('fleet int_gone');
  stuck.add('integration int_stuck').add('fleet int_stuck');
  expect(await reconcile()).toEqual({ ...NO_REPAIRS, orphansWoken: 1, stuckEnded: 2 });
  expect(wakes).toEqual(['integration int_gone']);
  expect(terminated).toEqual(['integration int_stuck', 'fleet int_stuck']);
});

test('all integrations are checked, across pages', async () => {
  await world.db.query(
    `insert into integration select 'int_' || lpad(n::text, 26, '0'), 'gitlab', 'git', 'n' || n, 'http://localhost', 'pending', null,
       false, null, 'unknown', null, now(), null, '{}', false, 14, '[]', null, null, 0, null, null, 0, null, 0, now(), now()
     from generate_series(1, 450) n`,
  );
  expect(await reconcile()).toEqual({ ...NO_REPAIRS, integrationsStarted: 450 });
  expect(new Set(activities.starters.wakes).size).toBe(450);
});

test('a scan that is marked as running without a workflow is queued again, and its fleet is woken', async () => {
  const task = await queuedScan(world, activities);
  await world.db.query('delete from outbox');
  await world.database.stores.scans.begin({ id: task.scanId, now: new Date() });
  activities = await activitiesOf(world);
  activities.starters.open.add(`integration ${task.integrationId}`).add(`scan ${task.repositoryId}`);
  activities.starters.open.add(`sync ${task.integrationId}`);
  expect(await reconcile()).toEqual(NO_REPAIRS);
  expect(await rowOf(world, 'scan', task.scanId)).toMatchObject({ status: 'running' });

  activities.starters.open.delete(`scan ${task.repositoryId}`);
  expect(await reconcile()).toEqual({ ...NO_REPAIRS, scansRequeued: 1, fleetsWoken: 1 });
  expect(await rowOf(world, 'scan', task.scanId)).toMatchObject({ status: 'queued' });
  expect(activities.starters.wakes).toEqual([`fleet ${task.integrationId}`]);
});

test('a sync that is marked as running without a workflow starts again', async () => {
  const { integrationId } = await active(world, activities);
  const { syncId } = await activities.openSync({ integrationId, nowMs: Date.now() });
  await world.db.query('delete from outbox');
  activities = await activitiesOf(world);
  activities.starters.open.add(`integration ${integrationId}`);
  expect(await reconcile()).toEqual({ ...NO_REPAIRS, syncsRequeued: 1, integrationsStarted: 1 });
  expect(await rowOf(world, 'sync_run', syncId ?? '')).toMatchObject({ state: 'queued' });
  const { action } = await activities.planIntegration({ integrationId, nowMs: Date.now() });
  expect(action).toEqual({ do: 'sync' });
});

test('a command that was not claimed for a minute wakes its workflow again', async () => {
  const { integrationId } = await active(world, activities);
  await world.db.query('delete from outbox');
  activities = await activitiesOf(world);
  activities.starters.open.add(`integration ${integrationId}`);
  const { commands } = world.database.stores;
  const id = await commands.add({ integrationId, kind: 'verify', now: new Date(Date.now() - 61_000) });
  expect(await reconcile()).toMatchObject({ commandsPoked: 1 });
  expect(activities.starters.wakes).toContain(`integration ${integrationId}`);
  await commands.finish({ id, kind: 'verify', result: { verdict: 'active' }, now: new Date() });
  expect(await reconcile()).toMatchObject({ commandsPoked: 0 });
});

test('unsent wakes are sent', async () => {
  const { integrationId } = await pending(world);
  activities.starters.open.add(`integration ${integrationId}`);
  expect(await reconcile()).toEqual({ ...NO_REPAIRS, wakesSent: 1 });
  expect(await world.db.query('select 1 from outbox')).toEqual([]);
});

test('rows older than the retention are removed; rows of the current state stay', async () => {
  const task = await queuedScan(world, activities);
  const old = new Date(Date.now() - 200 * DAY_MS);
  const { stores } = world.database;
  const audited = { integrationId: null, actor: 'key:test', text: 'x' };
  await stores.events.add([{ ...audited, kind: 'api_key.created' }], old);
  await stores.events.add([{ ...audited, kind: 'scan.finished' }], old);
  await stores.events.add([{ ...audited, kind: 'api_key.removed' }], new Date(Date.now() - 401 * DAY_MS));
  await world.db.query(`update scan set status = 'succeeded', finished_at = $1 where id = $2`, [
    old,
    task.scanId,
  ]);
  await world.db.query('update repository set last_scan_id = $1 where id = $2', [
    task.scanId,
    task.repositoryId,
  ]);
  await world.db.query('update sync_run set finished_at = $1', [old]);
  const second = await stores.scans.requestScan({ repositoryId: task.repositoryId, full: false, now: old });
  await world.db.query(`update scan set status = 'succeeded', finished_at = $1 where id = $2`, [old, second]);

  const channelId = await addChannel(world, { url: 'https://hooks.example.com/x' });
  for (const state of ['sent', 'failed', 'queued']) {
    const id = await stores.deliveries.addTest({ channelId });
    await world.db.query('update delivery set state = $1, created_at = $2 where id = $3', [state, old, id]);
  }

  for (const state of ['refused', 'lost', 'done', 'done']) {
    const id = newId('rotation');
    await stores.rotations.add({
      id,
      integrationId: task.integrationId,
      credentialId: newId('credential'),
      newCredentialId: newId('credential'),
      newVersion: 2,
      oldTokenId: 1,
      tokenName: null,
      workerId: 'worker',
      origin: 'https://gitlab.example.com',
      trigger: 'asked',
      commandId: null,
      state: 'refused',
      code: null,
      expiresOn: '2027-01-01',
      now: old,
    });
    await world.db.query('update rotation set state = $1 where id = $2', [state, id]);
  }

  await reconcile();
  const stored = await world.db.query('select state from rotation order by id');
  expect(stored).toEqual([{ state: 'lost' }, { state: 'done' }]);
  expect(await world.db.query('select state from delivery')).toEqual([{ state: 'queued' }]);
  const kinds = await world.db.query<{ kind: string }>(`select kind from event where actor = 'key:test'`);
  expect(kinds).toEqual([{ kind: 'api_key.created' }]);
  expect(await world.db.query('select id from scan')).toEqual([{ id: task.scanId }]);
  expect(await world.db.query('select state from sync_run')).toHaveLength(1);
});
