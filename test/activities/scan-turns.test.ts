import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import type { GitRemote, Scanners } from '../../src/domain/ports.ts';
import type { ScanTask } from '../../src/domain/scan.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import { repositoriesOf, sync } from './listing-support.ts';
import { instantGit, openScan, reporting } from './scan-support.ts';
import { active, activitiesOf, rowOf, run } from './support.ts';

const REPOSITORIES = 5;

let world: TestWorld;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(REPOSITORIES) } });
});
afterAll(async () => {
  await world.close();
});

/** A new integration with a queued scan of each repository, and activities with two clone slots. */
async function waitingScans(git: GitRemote, scanners = reporting(() => ({}))) {
  const { integrationId } = await active(world, await activitiesOf(world));
  await sync(await activitiesOf(world), integrationId);
  const repositories = await repositoriesOf(world, integrationId);
  const tasks: ScanTask[] = [];
  for (const { id: repositoryId } of repositories)
    tasks.push({ integrationId, repositoryId, scanId: await openScan(world, repositoryId) });
  const settings = { ...world.settings, clones: 2 };
  const activities = await activitiesOf(world, { git, scanners, settings });
  const scan = (task: ScanTask, cancel?: AbortSignal) =>
    run(activities, 'scanRepository', task, cancel === undefined ? {} : { cancel });
  return { integrationId, tasks, scan };
}

const statusesOf = (tasks: readonly ScanTask[]): Promise<string[]> =>
  Promise.all(tasks.map(async ({ scanId }) => String((await rowOf(world, 'scan', scanId))['status'])));

test('scans that wait for a clone slot do not use a token that becomes suspected meanwhile', async () => {
  let clones = 0;
  const held = Promise.withResolvers<void>();
  const git = instantGit(() => {
    clones += 1;
    return held.promise;
  });
  const { integrationId, tasks, scan } = await waitingScans(git);
  expect(tasks).toHaveLength(REPOSITORIES);
  const results = tasks.map((task) => scan(task));
  await awaitUntil(() => clones === 2);
  expect((await statusesOf(tasks)).toSorted()).toEqual(['queued', 'queued', 'queued', 'running', 'running']);
  await world.db.query('update integration set suspected_at = now() where id = $1', [integrationId]);
  held.resolve();
  const ended = (await Promise.all(results)).map(({ status }) => status);
  expect(ended.toSorted()).toEqual(['requeued', 'requeued', 'requeued', 'succeeded', 'succeeded']);
  expect(clones).toBe(2);
});

test('repositories are cloned while others are scanned', async () => {
  let scans = 0;
  const held = Promise.withResolvers<void>();
  const clean = reporting(() => ({}));
  const scanners: Scanners = {
    ...clean,
    async scan(input) {
      scans += 1;
      await held.promise;
      return clean.scan(input);
    },
  };
  const { tasks, scan } = await waitingScans(instantGit(), scanners);
  const results = tasks.map((task) => scan(task));
  await awaitUntil(() => scans === REPOSITORIES);
  held.resolve();
  expect((await Promise.all(results)).map(({ status }) => status)).toEqual(tasks.map(() => 'succeeded'));
});

test('a scan that is canceled while it waits for a slot never starts', async () => {
  const held = Promise.withResolvers<void>();
  let clones = 0;
  const git = instantGit(() => {
    clones += 1;
    return held.promise;
  });
  const { tasks, scan } = await waitingScans(git);
  const [first, second, third] = tasks as [ScanTask, ScanTask, ScanTask];
  const others = [scan(first), scan(second)];
  await awaitUntil(() => clones === 2);
  const canceling = new AbortController();
  const canceled = scan(third, canceling.signal);
  canceling.abort();
  await expect(canceled).rejects.toMatchObject({ name: 'CancelledFailure' });
  expect(await statusesOf([third])).toEqual(['queued']);
  held.resolve();
  await Promise.all(others);
  expect(clones).toBe(2);
});
