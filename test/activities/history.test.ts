import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { toolPath } from '../../harness/tools.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import { createSecrets } from '../../simulator/recipes/secrets.ts';
import { SecuError } from '../../src/domain/errors.ts';
import type { Branches, HistoryMode } from '../../src/domain/integration.ts';
import type { ScanHistory, ScanTrigger } from '../../src/domain/scan.ts';
import type { ScannersOptions } from '../../src/scanners/scanners.ts';
import { createScanners } from '../../src/scanners/scanners.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld, TEST_SETTINGS } from '../support/world.ts';
import { realGit, realScanners } from '../workflows/support/real-tools.ts';
import { repositoriesOf, sync } from './listing-support.ts';
import type { Activities } from './support.ts';
import { active, activitiesOf, rowOf, run } from './support.ts';

const secrets = createSecrets('history');
const [firstToken, secondToken] = [secrets.githubToken(), secrets.githubToken()];

/** One project for each test, because each changes its commits. */
const RECIPES = fleetRecipes(40).filter(({ expect }) => expect.findings.length === 0);
const PATHS = RECIPES.map(({ path }) => path);

let world: TestWorld;
let activities: Activities;
let integrationId: string;
let repositoryId: string;
let path: string;

beforeAll(async () => {
  world = await createTestWorld({
    simulator: { recipes: RECIPES },
    git: realGit,
    scanners: realScanners,
  });
});
afterAll(() => world.close());
beforeEach(async () => {
  path = PATHS.shift() ?? '';
  await startIntegration('full');
});

async function startIntegration(history: HistoryMode) {
  activities = await activitiesOf(world, { settings: { ...TEST_SETTINGS, history } });
  ({ integrationId } = await active(world, activities));
  await sync(activities, integrationId);
  const repositories = await repositoriesOf(world, integrationId);
  repositoryId = repositories.find((one) => one.path === path)?.id ?? '';
  await world.db.query(`delete from scan where integration_id = $1`, [integrationId]);
}

const control = () => world.simulator.control;
const git = async (...args: string[]) => (await control().git(path, args)).toString().trim();
const push = async (files: Record<string, string | null>, branch?: string) =>
  (await control().pushCommit({ project: path, files, branch })).commit;
const commitTree = (tree: string, ...parents: string[]) => control().commitTree(path, { tree, parents });

/** Queues a scan and runs it, or runs the scan that is already queued. */
async function scan(trigger: ScanTrigger = 'sync', history: ScanHistory = 'none') {
  await world.database.stores.scans.queue({
    repositoryIds: [repositoryId],
    trigger,
    history,
    now: new Date(),
  });
  return runQueued();
}

async function runQueued() {
  const [queued] = await openScans();
  const scanId = queued?.id ?? '';
  await run(activities, 'scanRepository', { integrationId, repositoryId, scanId });
  return rowOf(world, 'scan', scanId);
}

const openScans = () =>
  world.db.query<{ id: string; trigger: string; history: string }>(
    `select id, trigger, history from scan where repository_id = $1 and status = 'queued'`,
    [repositoryId],
  );

const findings = () =>
  world.db.query<{ path: string; status: string; at_head: boolean; introduced_commit: string | null }>(
    `select path, status, at_head, introduced_commit from finding where repository_id = $1 and kind = 'secret' order by path`,
    [repositoryId],
  );

const setBranches = (branches: Branches) =>
  world.database.stores.integrations.change(integrationId, { branches }, new Date());

/** Scans the head and the history that follows. */
async function scanFromScratch() {
  await scan('created');
  return runQueued();
}

describe('the first scans', () => {
  test('after the first scan of the head, the history follows, with a low priority', async () => {
    const added = await push({ 'a.env': `A=${firstToken}\n` });
    await push({ 'a.env': null });
    expect(await scan('created')).toMatchObject({ history: 'none', outcome: 'clean' });
    expect(await findings()).toEqual([]);
    expect(await openScans()).toMatchObject([{ trigger: 'history', history: 'full' }]);
    expect(await runQueued()).toMatchObject({ history: 'full', outcome: 'findings' });
    expect(await findings()).toEqual([
      { path: 'a.env', status: 'open', at_head: false, introduced_commit: added },
    ]);
    expect(await openScans()).toEqual([]);
  });

  test('a finding at the head gets the commit that introduced it, with its author', async () => {
    const added = await push({ 'a.env': `A=${firstToken}\n` });
    await push({ 'other.txt': 'x\n' });
    await scanFromScratch();
    expect(await findings()).toEqual([
      { path: 'a.env', status: 'open', at_head: true, introduced_commit: added },
    ]);
  });

  test('a scan of new commits replaces a queued history scan, which is queued again afterwards', async () => {
    await push({ 'a.txt': 'a\n' });
    await scan('created');
    expect(await scan('sync')).toMatchObject({ trigger: 'sync', history: 'none' });
    expect(await openScans()).toMatchObject([{ trigger: 'history', history: 'full' }]);
  });

  test('an unreadable history is reported, keeps the result of the head, and is not retried at once', async () => {
    await push({ 'a.txt': 'a\n' });
    const head = await scan('created');
    const working = activities;
    activities = await activitiesOf(world, {
      settings: { ...TEST_SETTINGS, history: 'full' },
      git: {
        ...working.deps.git,
        clone: async () => {
          throw new SecuError('clone_too_large', 'too large');
        },
      },
    });
    expect(await runQueued()).toMatchObject({
      status: 'failed',
      cause: 'clone_too_large',
      trigger: 'history',
    });
    expect(await rowOf(world, 'repository', repositoryId)).toMatchObject({
      last_scan_id: head['id'],
      history_cause: 'clone_too_large',
    });
    activities = working;
    await push({ 'b.txt': 'b\n' });
    expect(await scan('sync')).toMatchObject({ status: 'succeeded', history: 'none' });
    expect(await openScans()).toEqual([]);
  });

  test('with the mode since, only new commits are read; with off, only the head', async () => {
    await push({ 'old.env': `A=${firstToken}\n` });
    await push({ 'old.env': null });
    for (const [mode, found] of [
      ['since', ['new.env']],
      ['off', []],
    ] as const) {
      await startIntegration(mode);
      expect(await scan('created')).toMatchObject({ history: 'none' });
      expect(await openScans()).toEqual([]);
      await push({ 'new.env': `A=${secondToken}\n` });
      await push({ 'new.env': null });
      await scan('sync');
      expect((await findings()).map((one) => one.path)).toEqual(found);
    }
  });
});

describe('what a scan could not read', () => {
  /** Continues with these scanners, under the settings of now. */
  async function useScanners(change: Partial<ScannersOptions>) {
    const scanners = createScanners({
      tools: { gitleaks: { path: await toolPath('gitleaks'), version: 'pinned' }, 'ast-grep': 'left_out' },
      workFolder: join(world.folder, 'other-scanners'),
      blobMaxBytes: 1024 ** 2,
      scanTimeoutMs: 60_000,
      concurrency: 1,
      ...change,
    });
    const { settings } = activities.deps;
    activities = await activitiesOf(world, { settings, scanners, rules: scanners.rules });
  }
  const WITHOUT_GITLEAKS = { tools: { gitleaks: null, 'ast-grep': 'left_out' } } as const;

  test('while gitleaks was missing is read once it is there', async () => {
    await startIntegration('since');
    await scan('created');
    await push({ 'gone.env': `A=${firstToken}\n` });
    await push({ 'gone.env': null });
    const installed = activities;
    await useScanners(WITHOUT_GITLEAKS);
    expect(await scan()).toMatchObject({ outcome: 'incomplete' });
    activities = installed;
    await scan();
    expect((await findings()).map((one) => one.path)).toEqual(['gone.env']);
  });

  test('is not queued as a history while gitleaks is missing', async () => {
    await push({ 'a.txt': 'a\n' });
    await useScanners(WITHOUT_GITLEAKS);
    await scan('created');
    expect(await openScans()).toEqual([]);
  });

  test('because there are more findings than are stored keeps later scans incomplete', async () => {
    for (const [file, token] of [
      ['a.env', firstToken],
      ['b.env', secondToken],
    ] as const) {
      await push({ [file]: `A=${token}\n` });
      await push({ [file]: null });
    }
    await useScanners({ maxFindings: 1 });
    await scanFromScratch();
    await push({ 'c.txt': 'c\n' });
    expect(await scan()).toMatchObject({ history: 'since', incomplete_because: ['more_findings'] });
  });
});

describe('after the history was read, a scan reads only new commits', () => {
  beforeEach(async () => {
    await push({ 'a.txt': 'a\n' });
    await scanFromScratch();
  });

  test('a secret that was added and removed between two scans is found', async () => {
    const before = await git('rev-parse', 'main');
    const added = await push({ 'gone.env': `A=${firstToken}\n` });
    const now = await push({ 'gone.env': null });
    expect(await scan()).toMatchObject({
      history: 'since',
      outcome: 'findings',
      refs: [{ name: 'refs/heads/main', from: before, to: now }],
    });
    expect(await findings()).toEqual([
      { path: 'gone.env', status: 'open', at_head: false, introduced_commit: added },
    ]);
  });

  test('forty commits between two scans are all read', async () => {
    await push({ 'gone.env': `A=${firstToken}\n` });
    await push({ 'gone.env': null });
    for (let index = 0; index < 40; index += 1) await push({ 'a.txt': `${index}\n` });
    await scan();
    expect((await findings()).map((one) => one.path)).toEqual(['gone.env']);
  });

  test('secrets in a merge commit and in a merged branch are found', async () => {
    const base = await git('rev-parse', 'main');
    await git('branch', 'one', base);
    await git('branch', 'two', base);
    await push({ 'branch.env': `A=${firstToken}\n` }, 'one');
    await push({ 'branch.env': null }, 'one');
    await push({ 'two.txt': 'two\n' }, 'two');
    await push({ 'merge.env': `A=${secondToken}\n` }, 'two');
    const treeOfMerge = await git('rev-parse', 'two^{tree}');
    // an octopus merge whose own tree has what none of its parents has
    const merge = await commitTree(
      treeOfMerge,
      base,
      await git('rev-parse', 'one'),
      await git('rev-parse', 'two^'),
    );
    await git('update-ref', 'refs/heads/main', merge);
    await push({ 'merge.env': null });
    await scan();
    expect((await findings()).map((one) => one.path)).toEqual(['branch.env', 'merge.env']);
  });

  test('an unrelated history after a forced push is read as a whole, and the scan reports history full', async () => {
    await push({ 'root.env': `A=${firstToken}\n` });
    const root = await commitTree(await git('rev-parse', 'main^{tree}'));
    await git('update-ref', 'refs/heads/main', root);
    await push({ 'root.env': null });
    const row = await scan();
    expect(row).toMatchObject({ history: 'full', refs: [{ name: 'refs/heads/main', from: null }] });
    expect((await findings()).map((one) => one.path)).toEqual(['root.env']);
  });

  test('after a change of rules, the whole history is queued again', async () => {
    await world.db.query(`update repository set history_rules = 'sha256:old' where id = $1`, [repositoryId]);
    expect(await scan('rules')).toMatchObject({ history: 'none' });
    expect(await openScans()).toMatchObject([{ trigger: 'history' }]);
  });
});

describe('branches', () => {
  test.each<[Branches, string[]]>([
    [{ mode: 'default', globs: [] }, []],
    [{ mode: 'all', globs: [] }, ['feature.env', 'release.env']],
    [{ mode: 'globs', globs: ['release/*'] }, ['release.env']],
    [{ mode: 'protected', globs: [] }, ['release.env']],
  ])('secrets are searched for in the branches of %j', async (branches, expected) => {
    const base = await push({ 'a.txt': 'a\n' });
    for (const [name, file] of [
      ['release/1', 'release.env'],
      ['feature', 'feature.env'],
    ] as const) {
      await git('branch', name, base);
      await push({ [file]: `A=${firstToken}\n` }, name);
    }
    control().protectBranch(path, 'release/1');
    await setBranches(branches);
    await scanFromScratch();
    expect((await findings()).map((one) => one.path)).toEqual(expected);
  });

  test('a new commit on a watched branch is noticed by a sync, scanned, and read once', async () => {
    const base = await push({ 'a.txt': 'a\n' });
    await git('branch', 'feature', base);
    await setBranches({ mode: 'all', globs: [] });
    await scanFromScratch();
    expect((await sync(activities, integrationId)).heads).toBe(0);
    const tip = await push({ 'b.env': `A=${firstToken}\n` }, 'feature');
    await sync(activities, integrationId);
    expect(await runQueued()).toMatchObject({
      history: 'since',
      refs: [
        { name: 'refs/heads/main', from: base, to: base },
        { name: 'refs/heads/feature', from: base, to: tip },
      ],
    });
    expect(await findings()).toEqual([
      { path: 'b.env', status: 'open', at_head: false, introduced_commit: tip },
    ]);
    expect((await sync(activities, integrationId)).heads).toBe(0);
  });
});
