import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import { SecuError } from '../../src/domain/errors.ts';
import type { ScanTask } from '../../src/domain/scan.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import { pretendScanned, sync } from './listing-support.ts';
import { instantGit, queuedScan, reporting } from './scan-support.ts';
import type { Activities } from './support.ts';
import { activitiesOf, run } from './support.ts';

const HOUR_MS = 3_600_000;

let world: TestWorld;
let task: ScanTask;
let activities: Activities;

beforeAll(async () => {
  world = await createTestWorld({
    simulator: { recipes: fleetRecipes(2) },
    settings: { syncIntervalMs: HOUR_MS, fullSyncIntervalMs: 24 * HOUR_MS },
  });
});
afterAll(() => world.close());

beforeEach(async () => {
  activities = await activitiesOf(world);
  task = await queuedScan(world, activities);
  const { integrationId } = task;
  const context = { table: 'hook_receiver', rowId: integrationId, version: 1 };
  const sealed = world.vault.seal({ context, secret: new Secret('whsec_test') });
  await world.database.stores.hooks.setToken({
    integrationId,
    token: { ...sealed, version: 1 },
    now: new Date(),
  });
});

const pushIsAnnounced = () =>
  world.database.transaction((tx) =>
    tx.scans.requestHookScan({ repositoryId: task.repositoryId, now: new Date() }),
  );

const openScans = () =>
  world.db.query<{ trigger: string; status: string }>(
    `select trigger, status from scan where repository_id = $1 and status in ('queued', 'running')`,
    [task.repositoryId],
  );

test('a push during the scan of its repository is read by another scan', async () => {
  const git = instantGit(async () => void (await pushIsAnnounced()));
  const scanning = await activitiesOf(world, { git, scanners: reporting(() => ({})) });
  expect(await run(scanning, 'scanRepository', task)).toMatchObject({ status: 'succeeded' });
  expect(await openScans()).toEqual([{ trigger: 'hook', status: 'queued' }]);
  expect(scanning.starters.wakes).toEqual([`fleet ${task.integrationId}`]);
});

test('a push during a scan that fails is read by another scan', async () => {
  const git = instantGit(async () => {
    await pushIsAnnounced();
    throw new SecuError('clone_too_large', 'the clone is too large');
  });
  const scanning = await activitiesOf(world, { git });
  expect(await run(scanning, 'scanRepository', task)).toMatchObject({ status: 'failed' });
  expect(await openScans()).toEqual([{ trigger: 'hook', status: 'queued' }]);
  const wakes = await world.db.query(
    `select 1 from outbox where integration_id = $1 and kind = 'wake_fleet'`,
    [task.integrationId],
  );
  expect(wakes).toHaveLength(1);
});

test('a push before the scan begins is read by that scan', async () => {
  await pushIsAnnounced();
  const scanning = await activitiesOf(world, { git: instantGit(), scanners: reporting(() => ({})) });
  await run(scanning, 'scanRepository', task);
  expect(await openScans()).toEqual([]);
});

test('a push during a scan for which the full history was requested leads to one scan, of the full history', async () => {
  const git = instantGit(async () => {
    await pushIsAnnounced();
    await world.database.stores.scans.requestScan({ ...task, full: true, now: new Date() });
  });
  const scanning = await activitiesOf(world, { git, scanners: reporting(() => ({})) });
  await run(scanning, 'scanRepository', task);
  expect(await openScans()).toEqual([{ trigger: 'manual', status: 'queued' }]);
});

test('a hint about projects leads to a delta sync; one that arrives meanwhile, to another', async () => {
  const { integrationId } = task;
  const { hooks, integrations } = world.database.stores;
  const nowMs = Date.now() + HOUR_MS / 2;
  await pretendScanned(world, integrationId, { headOf: (path) => world.simulator.control.head(path) });
  await integrations.change(
    integrationId,
    { nextSyncAt: new Date(nowMs + HOUR_MS), nextVerifyAt: new Date(nowMs + HOUR_MS) },
    new Date(),
  );
  const plan = async (atMs: number) =>
    (await activities.planIntegration({ integrationId, nowMs: atMs })).action;
  const hint = (atMs: number) =>
    hooks.requestSync({ integrationId, delayMs: 5_000, minGapMs: 60_000, now: new Date(atMs) });

  await hint(nowMs);
  expect(await plan(nowMs)).toEqual({ do: 'wait', untilMs: nowMs + 5_000 });
  expect(await plan(nowMs + 5_000)).toEqual({ do: 'sync' });
  const opened = await activities.openSync({ integrationId, nowMs: nowMs + 5_000 });
  const [started] = await world.db.query('select active_since from sync_run where id = $1', [opened.syncId]);
  expect(started).toMatchObject({ active_since: expect.any(Date) });
  expect(await hooks.syncDueAt(integrationId)).toBeNull();

  await hint(nowMs + 6_000);
  expect(await plan(nowMs + 66_000)).toMatchObject({ do: 'wait' });
  activities.starters.wakes.length = 0;
  const { syncId } = opened;
  if (syncId === null) throw new Error('no sync was opened');
  const listing = await activities.listingFailed({ integrationId, syncId, cause: 'gitlab_unreachable' });
  await activities.finishSync({ integrationId, syncId, listing, queuedScans: 0, nowMs: nowMs + 7_000 });
  expect(activities.starters.wakes).toEqual([`integration ${integrationId}`]);
  expect(await plan(nowMs + 65_000)).toEqual({ do: 'sync' });
});

test('a renamed project is read by the delta sync of its hook, although it was not active', async () => {
  const { integrationId } = task;
  const { hooks } = world.database.stores;
  const [first] = await world.db.query<{ id: string; path: string; project: string }>(
    'select id, full_path as path, gitlab_project_id as project from repository where id = $1',
    [task.repositoryId],
  );
  const now = new Date();
  world.simulator.control.renameProject(first?.path ?? '', `acme/renamed-${integrationId.toLowerCase()}`);
  await hooks.hintProject({ integrationId, gitlabProjectId: Number(first?.project), now });
  // not visible to this token: it changes nothing
  await hooks.hintProject({ integrationId, gitlabProjectId: 4_711_000, now });
  const { listing } = await sync(activities, integrationId, { nowMs: Date.now() + 3 * HOUR_MS });
  expect(listing).toMatchObject({ complete: true, renamed: 1, added: 0 });
  expect(await hooks.hintedProjects(integrationId)).toEqual([]);
});

test('a hint that is repeated while its project is read stays', async () => {
  const { integrationId } = task;
  const { hooks } = world.database.stores;
  const now = new Date();
  await hooks.hintProject({ integrationId, gitlabProjectId: 7, now });
  const read = await hooks.hintedProjects(integrationId);
  await hooks.hintProject({ integrationId, gitlabProjectId: 7, now: new Date(now.getTime() + 1) });
  await hooks.forgetHinted(integrationId, read);
  expect(await hooks.hintedProjects(integrationId)).toHaveLength(1);
});

test('a hook takes the place of a waiting scan of the history', async () => {
  const { repositoryId } = task;
  await world.db.query(`update scan set status = 'succeeded' where id = $1`, [task.scanId]);
  await world.database.stores.scans.queue({
    repositoryIds: [repositoryId],
    trigger: 'history',
    history: 'full',
    now: new Date(),
  });
  await pushIsAnnounced();
  expect(await openScans()).toEqual([{ trigger: 'hook', status: 'queued' }]);
});
