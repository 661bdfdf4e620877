import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import { newId } from '../../src/db/new-id.ts';
import { SecuError } from '../../src/domain/errors.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import type { RepositoryRow } from './listing-support.ts';
import { pretendScanned, repositoriesOf, sync } from './listing-support.ts';
import type { Active, Activities } from './support.ts';
import { active, activitiesOf, run } from './support.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let world: TestWorld;
let activities: Activities;
let added: Active;
let rows: RepositoryRow[];

beforeAll(async () => {
  world = await createTestWorld({
    simulator: { recipes: fleetRecipes(4) },
    settings: { scanIntervalMs: DAY_MS, clones: 2 },
  });
});
afterAll(async () => {
  await world.close();
});

/** All four repositories are scanned at their current heads, and have had no activity for days. */
beforeEach(async () => {
  world.simulator.control.requests.reset();
  activities = await activitiesOf(world);
  added = await active(world, activities);
  await sync(activities, added.integrationId);
  await pretendScanned(world, added.integrationId, {
    headOf: (path) => world.simulator.control.head(path),
  });
  await world.db.query(`update repository set last_activity_at = now() - interval '3 days'`);
  rows = await repositoriesOf(world, added.integrationId);
});

const gitRequests = () =>
  world.simulator.control.requests.list().filter(({ route }) => route === 'git info/refs').length;

async function queued(): Promise<string[]> {
  const found = await world.db.query<{ repository_id: string }>(
    `select repository_id from scan where integration_id = $1 and status = 'queued' order by repository_id`,
    [added.integrationId],
  );
  return found.map(({ repository_id }) => repository_id);
}

function checkHeads(nowMs = Date.now()): Promise<{ queued: number }> {
  return run(activities, 'checkHeads', { integrationId: added.integrationId, syncId: newId('sync'), nowMs });
}

test('a repository without activity that was checked recently causes no git request', async () => {
  const before = gitRequests();
  expect(await checkHeads()).toEqual({ queued: 0 });
  expect(gitRequests()).toBe(before);
});

test('a push that the listing reports queues a scan of that repository only', async () => {
  const pushed = rows[1];
  await world.simulator.control.pushCommit({ project: pushed?.path ?? '', files: { 'a.txt': 'a\n' } });
  const synced = await sync(activities, added.integrationId, { nowMs: Date.now() + 1_000 });
  expect(synced.heads).toBe(1);
  expect(await queued()).toEqual([pushed?.id]);
});

test('activity without a new head queues no scan, and is checked again within the hour of overlap', async () => {
  await world.db.query('update repository set last_activity_at = now() where id = $1', [rows[0]?.id]);
  const before = gitRequests();
  expect(await checkHeads()).toEqual({ queued: 0 });
  expect(gitRequests()).toBe(before + 1);
  await checkHeads(Date.now() + HOUR_MS / 2);
  expect(gitRequests()).toBe(before + 2);
  await checkHeads(Date.now() + 2 * HOUR_MS);
  await checkHeads(Date.now() + 2 * HOUR_MS);
  expect(gitRequests()).toBe(before + 3);
});

const plan = (nowMs: number) => activities.planIntegration({ integrationId: added.integrationId, nowMs });
const checkStale = (nowMs: number) =>
  run(activities, 'checkStaleHeads', { integrationId: added.integrationId, nowMs });

test('a repository that was not checked for the interval is checked without a sync, and the check is recorded', async () => {
  const before = gitRequests();
  const nowMs = Date.now() + DAY_MS + HOUR_MS;
  expect((await plan(nowMs)).action.do).toBe('check_heads');
  expect(await checkStale(nowMs)).toEqual({ queued: 0 });
  expect(gitRequests()).toBe(before + 4);
  expect((await plan(nowMs + 1_000)).action).toMatchObject({ do: 'wait' });
  await checkStale(nowMs + 1_000);
  expect(gitRequests()).toBe(before + 4);
});

test('a head that moved unnoticed is scanned at the interval, with the trigger schedule', async () => {
  const [moved] = rows;
  await world.db.query(`update repository set head_commit = 'old' where id = $1`, [moved?.id]);
  expect(await checkStale(Date.now() + DAY_MS + HOUR_MS)).toEqual({ queued: 1 });
  expect(await queued()).toEqual([moved?.id]);
  expect(
    await world.db.query(`select trigger from scan where repository_id = $1 and status = 'queued'`, [
      moved?.id,
    ]),
  ).toEqual([{ trigger: 'schedule' }]);
  expect(activities.starters.wakes.at(-1)).toBe(`fleet ${added.integrationId}`);
});

test('a head that cannot be read is asked again after an hour, and the plan does not loop', async () => {
  const [broken] = rows;
  activities = await activitiesOf(world, {
    git: {
      ...activities.deps.git,
      async readHead() {
        throw new SecuError('gitlab_unreachable', 'no answer');
      },
    },
  });
  const nowMs = Date.now() + DAY_MS + HOUR_MS;
  await checkStale(nowMs);
  expect((await plan(nowMs)).action).toMatchObject({ do: 'wait' });
  expect((await plan(nowMs + HOUR_MS)).action.do).toBe('check_heads');
  expect(broken).toBeDefined();
});

test('a repository that does not answer affects neither itself nor the others', async () => {
  const [first, second] = rows;
  await world.db.query('update repository set last_activity_at = now() where id = any($1)', [
    [first?.id, second?.id],
  ]);
  activities = await activitiesOf(world, {
    git: {
      ...activities.deps.git,
      async readHead({ fullPath }) {
        if (fullPath === first?.path) throw new SecuError('gitlab_unreachable', 'no answer');
        return { commit: 'f'.repeat(40) };
      },
    },
  });
  expect(await checkHeads()).toEqual({ queued: 1 });
  expect(await queued()).toEqual([second?.id]);
});

test('changed scanner rules queue every repository that was scanned with the old ones', async () => {
  activities = await activitiesOf(world, { rules: 'sha256:newer' });
  const synced = await sync(activities, added.integrationId);
  expect(synced.queued).toBe(4);
});

test('a repository that GitLab calls empty but git does not is scanned, and stays active', async () => {
  const [first] = rows;
  if (first === undefined) throw new Error('nothing was listed');
  await world.db.query(
    `update repository set state = 'empty', empty = true, checked_at = null, head_commit = null where id = $1`,
    [first.id],
  );
  expect(await checkHeads()).toEqual({ queued: 1 });
  expect(await queued()).toEqual([first.id]);

  // the scan has stored its head; GitLab still says `empty_repo`
  await world.db.query(`update repository set head_commit = $2, checked_at = now() where id = $1`, [
    first.id,
    await world.simulator.control.head(first.path),
  ]);
  const listed = {
    gitlabProjectId: first.project,
    fullPath: first.path,
    defaultBranch: 'main',
    visibility: 'private',
    lastActivityAt: null,
    empty: true,
    archived: false,
    fork: false,
    personal: false,
    pendingDeletion: false,
    repositoryDisabled: false,
    state: 'empty',
    excludedBecause: null,
  } as const;
  await world.database.stores.listing.upsertPage({
    integrationId: added.integrationId,
    repositories: [listed],
    now: new Date(),
  });
  expect((await repositoriesOf(world, added.integrationId))[0]?.state).toBe('active');
});

test('a repository is empty if GitLab and git agree, and the check runs once', async () => {
  const [first] = rows;
  await world.db.query(`delete from scan where integration_id = $1`, [added.integrationId]);
  await world.db.query(
    `update repository set state = 'empty', empty = true, checked_at = null, head_commit = null where id = $1`,
    [first?.id],
  );
  activities = await activitiesOf(world, {
    git: { ...activities.deps.git, readHead: async () => ({ commit: null }) },
  });
  expect(await checkHeads()).toEqual({ queued: 0 });
  const [row] = await world.db.query(`select state, checked_at from repository where id = $1`, [first?.id]);
  expect(row).toMatchObject({ state: 'empty', checked_at: expect.any(Date) });
});
