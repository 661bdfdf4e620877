import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld, TEST_SETTINGS } from '../support/world.ts';
import { realGit, realScanners } from '../workflows/support/real-tools.ts';
import type { HidingPlace } from './hiding-ways.ts';
import { WAYS } from './hiding-ways.ts';
import { repositoriesOf, sync } from './listing-support.ts';
import type { Activities } from './support.ts';
import { active, activitiesOf, run } from './support.ts';

const PAGE = new URL('../../docs/explanation/what-is-found-in-git.md', import.meta.url);

const RECIPES = fleetRecipes(120).filter(({ expect }) => expect.findings.length === 0);

let world: TestWorld;
let activities: Activities;
let integrationId: string;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: RECIPES }, git: realGit, scanners: realScanners });
  activities = await activitiesOf(world, { settings: { ...TEST_SETTINGS, history: 'full' } });
  ({ integrationId } = await active(world, activities));
  expect(
    await world.database.stores.integrations.change(
      integrationId,
      { branches: { mode: 'all', globs: [] } },
      new Date(),
    ),
  ).toBe(true);
  await sync(activities, integrationId);
  await world.db.query(`delete from scan where integration_id = $1`, [integrationId]);
});
afterAll(() => world.close());

async function repositoryOf(index: number): Promise<HidingPlace & { id: string }> {
  const path = RECIPES[index]?.path ?? '';
  const { control } = world.simulator;
  const id = (await repositoriesOf(world, integrationId)).find((one) => one.path === path)?.id ?? '';
  const git = async (...args: string[]) => (await control.git(path, args)).toString().trim();
  return {
    id,
    git,
    push: async (files, branch) => (await control.pushCommit({ project: path, files, branch })).commit,
    write: async (type, content) =>
      (await control.git(path, ['hash-object', '-t', type, '-w', '--stdin'], [Buffer.from(content)]))
        .toString()
        .trim(),
    commit: (tree, parents, message) => control.commitTree(path, { tree, parents, message }),
    scan: () => scan(id, 'sync'),
  };
}

async function scan(repositoryId: string, trigger: 'created' | 'sync'): Promise<void> {
  const now = new Date();
  await world.database.stores.scans.queue({ repositoryIds: [repositoryId], trigger, history: 'none', now });
  for (;;) {
    const [queued] = await world.db.query<{ id: string }>(
      `select id from scan where repository_id = $1 and status = 'queued'`,
      [repositoryId],
    );
    if (queued === undefined) return;
    await run(activities, 'scanRepository', { integrationId, repositoryId, scanId: queued.id });
  }
}

test.each(WAYS.map((way, index) => [way.name, way, index] as const))('%s', async (_name, way, index) => {
  const repository = await repositoryOf(index);
  await repository.push({ 'README.md': 'A project.\n' });
  await scan(repository.id, 'created');
  await way.hide(repository);
  await repository.scan();
  const findings = await world.db.query(
    `select rule_id from finding where repository_id = $1 and kind = 'secret'`,
    [repository.id],
  );
  expect(findings.length > 0).toBe(way.found);
});

test('the documentation lists exactly the tested ways to hide a secret', () => {
  const rows = readFileSync(PAGE, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| way') && !line.startsWith('| ---'));
  expect(rows.map((row) => row.split(' | ').slice(0, 2).join(' | '))).toEqual(
    WAYS.map(({ name, found }) => `| ${name} | ${found ? 'found' : 'not searched'}`),
  );
});
