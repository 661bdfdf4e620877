import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import type { ListingOutcome } from '../../src/activities/sync/listing.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import { pretendScanned, repositoriesOf, sync } from './listing-support.ts';
import type { Activities } from './support.ts';
import { active, activitiesOf, eventsOf, rowOf, run } from './support.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const COUNT = 250;

let world: TestWorld;
let activities: Activities;
let integrationId: string;
let nowMs: number;

beforeAll(async () => {
  world = await createTestWorld({
    simulator: { recipes: fleetRecipes(COUNT) },
    settings: { syncIntervalMs: HOUR_MS, fullSyncIntervalMs: DAY_MS },
  });
});
afterAll(() => world.close());

/** Everything was listed and scanned an hour ago; no project was active for days. */
beforeEach(async () => {
  nowMs = Date.now();
  activities = await activitiesOf(world);
  ({ integrationId } = await active(world, activities));
  await sync(activities, integrationId, { nowMs: nowMs - HOUR_MS });
  await pretendScanned(world, integrationId, { headOf: (path) => world.simulator.control.head(path) });
  world.simulator.control.requests.reset();
});

const listings = () => world.simulator.control.requests.count('GET /api/v4/projects');
const syncNow = (atMs = nowMs) => sync(activities, integrationId, { nowMs: atMs });
const integration = () => rowOf(world, 'integration', integrationId);

test('between complete listings, only active projects are listed, and only changed rows are written', async () => {
  const before = await repositoriesOf(world, integrationId);
  const [first, second] = before;
  await world.simulator.control.pushCommit({ project: first?.path ?? '', files: { 'a.txt': 'a\n' } });
  await world.simulator.control.pushCommit({ project: second?.path ?? '', files: { 'b.txt': 'b\n' } });
  const { listing, heads } = await syncNow();
  expect(listing).toMatchObject({ complete: true, added: 0 });
  expect(listings()).toBeLessThanOrEqual(2);
  expect(heads).toBe(2);
  const after = await repositoriesOf(world, integrationId);
  const written = after.filter(({ version }, index) => version !== before[index]?.version);
  expect(new Set(written.map(({ path }) => path))).toEqual(new Set([first?.path, second?.path]));
  expect(await integration()).toMatchObject({ listed: COUNT });
});

test('a new project is added and counted, and a renamed one is renamed', async () => {
  const [first] = await repositoriesOf(world, integrationId);
  world.simulator.control.renameProject(first?.path ?? '', 'acme/renamed-by-delta');
  await world.simulator.control.pushCommit({ project: 'acme/renamed-by-delta', files: { 'a.txt': 'a\n' } });
  await world.simulator.control.addProject({
    name: 'fresh-by-delta',
    about: 'added',
    path: 'acme/fresh-by-delta',
    commits: () => [{ message: 'Begin', files: { 'a.txt': 'a\n' } }],
    expect: { listed: true, findings: [] },
  });
  const { listing } = await syncNow();
  expect(listing).toMatchObject({ added: 1, renamed: 1 });
  expect(await integration()).toMatchObject({ listed: COUNT + 1 });
  expect((await eventsOf(world, integrationId)).map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['repository.added', 'repository.renamed', 'integration.reach_changed']),
  );
});

test('a delta removes nothing; the daily complete listing does', async () => {
  const repositories = await repositoriesOf(world, integrationId);
  const gone = repositories.at(-1);
  world.simulator.control.removeProject(gone?.path ?? '');
  const stateOf = async () =>
    (await repositoriesOf(world, integrationId)).find(({ id }) => id === gone?.id)?.state;
  await syncNow();
  expect(await stateOf()).toBe('active');
  await syncNow(nowMs + DAY_MS);
  expect(listings()).toBeGreaterThan(3);
  expect(await stateOf()).not.toBe('active');
});

test('a requested sync lists everything, and runs after a delta that is in progress', async () => {
  const { stores } = world.database;
  await stores.syncs.open({ integrationId, trigger: 'manual', now: new Date(nowMs) });
  const { syncId } = await syncNow();
  expect(await rowOf(world, 'sync_run', syncId)).toMatchObject({ active_since: null });
  const delta = await activities.openSync({ integrationId, nowMs: nowMs + HOUR_MS });
  expect(await rowOf(world, 'sync_run', delta.syncId ?? '')).toMatchObject({
    active_since: expect.any(Date),
  });
  await stores.syncs.open({ integrationId, trigger: 'manual', now: new Date(nowMs) });
  expect(await rowOf(world, 'sync_run', delta.syncId ?? '')).toMatchObject({ again: true });
});

test('if GitLab lists a project that was not active, the same sync lists everything', async () => {
  const { syncId } = await activities.openSync({ integrationId, nowMs });
  const { gitlab } = activities.deps;
  const withoutFilter = await activitiesOf(world, {
    gitlab: {
      forToken: (input) => {
        const api = gitlab.forToken(input);
        return {
          ...api,
          listProjectsPage: (page) => api.listProjectsPage({ ...page, activeSince: undefined }),
        };
      },
    },
  });
  const input = { integrationId, syncId: syncId ?? '', nowMs };
  const listing: ListingOutcome = await run(withoutFilter, 'listRepositories', input);
  expect(listing).toMatchObject({ complete: true });
  expect(listing.listed).toBeGreaterThanOrEqual(COUNT - 1);
  expect(await rowOf(world, 'sync_run', input.syncId)).toMatchObject({ active_since: null });
});

test('an integration with changes is synced sooner, one without at the interval', async () => {
  const paceMs = async () => (await integration())['sync_pace_ms'];
  await syncNow();
  expect(await paceMs()).toBe(HOUR_MS);
  const [first] = await repositoriesOf(world, integrationId);
  for (const [round, expected] of [HOUR_MS / 2, HOUR_MS / 4, HOUR_MS / 4].entries()) {
    await world.simulator.control.pushCommit({
      project: first?.path ?? '',
      files: { 'a.txt': `${round}\n` },
    });
    await syncNow(nowMs + round * 1_000);
    expect(await paceMs()).toBe(expected);
    await world.db.query(`delete from scan where integration_id = $1`, [integrationId]);
  }
});

test('the next sync lists everything when a complete listing is required', async () => {
  await world.database.stores.integrations.requireFullSync(integrationId);
  const { syncId } = await syncNow();
  expect(await rowOf(world, 'sync_run', syncId)).toMatchObject({ active_since: null });
});
