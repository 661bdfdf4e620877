import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import type { CloneInput } from '../../src/domain/ports.ts';
import type { GitWorld } from './support.ts';
import { createGitWorld } from './support.ts';

/** One project for each test, because each changes its branches. */
const PATHS = fleetRecipes(12).map(({ path }) => path);

let world: GitWorld;
let path: string;
beforeAll(async () => {
  world = await createGitWorld({ recipes: fleetRecipes(12) });
});
afterAll(() => world.close());
beforeEach(() => {
  path = PATHS.shift() ?? '';
  world.simulator.control.requests.reset();
});

const control = () => world.simulator.control;
const git = async (...args: string[]) => (await control().git(path, args)).toString().trim();
const push = async (file: string, branch?: string) =>
  (await control().pushCommit({ project: path, files: { [file]: `${file}\n` }, branch })).commit;

async function pushMany(count: number, prefix: string): Promise<string> {
  let last = '';
  for (let index = 0; index < count; index += 1) last = await push(`${prefix}-${index}.txt`);
  return last;
}

async function clone(input: Omit<CloneInput, 'directory'>) {
  const directory = world.directory();
  return world.remote().clone({ ...world.repository(path), directory, ...input });
}

/** Every commit that a clone holds, or those of a range. */
function commitsIn(gitDirectory: string, ...range: string[]): string[] {
  const args = ['--git-dir', gitDirectory, '-c', 'safe.bareRepository=all', 'rev-list', '--ignore-missing'];
  return execFileSync('git', [...args, ...range], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

const transfers = () =>
  control()
    .requests.list()
    .filter(({ route }) => route === 'git upload-pack').length;

describe('since known commits', () => {
  test('one transfer holds the new commits, and not the whole history', async () => {
    await pushMany(60, 'old');
    const known = await push('known.txt');
    const added = [await push('one.txt'), await push('two.txt')];
    const cloned = await clone({ history: 'since', known: [known] });
    expect(cloned).toMatchObject({ commit: added[1], history: 'since', continues: [known] });
    expect(commitsIn(cloned.gitDirectory, added[1] ?? '', `^${known}`).toSorted()).toEqual(added.toSorted());
    expect(commitsIn(cloned.gitDirectory, added[1] ?? '').length).toBeLessThan(50);
    expect(transfers()).toBe(1);
  });

  test('nothing new is an empty range', async () => {
    const known = await push('known.txt');
    const cloned = await clone({ history: 'since', known: [known] });
    expect(cloned).toMatchObject({ commit: known, history: 'since', continues: [known] });
  });

  test('more new commits than the first depth are all fetched', async () => {
    const known = await push('known.txt');
    const newest = await pushMany(70, 'new');
    const cloned = await clone({ history: 'since', known: [known] });
    expect(commitsIn(cloned.gitDirectory, newest, `^${known}`)).toHaveLength(70);
    expect(transfers()).toBe(2);
  });

  test('a branch that began long before the last scan is fetched when it is merged', async () => {
    const start = await push('start.txt');
    await git('branch', 'feature', start);
    const added = [await push('feature-1.txt', 'feature'), await push('feature-2.txt', 'feature')];
    const known = await pushMany(50, 'main');
    const tree = await git('rev-parse', 'main^{tree}');
    const merge = await control().commitTree(path, { tree, parents: ['main', 'feature'] });
    await git('update-ref', 'refs/heads/main', merge);
    const cloned = await clone({ history: 'since', known: [known] });
    // the commits before the branch may be among them, because the clone does not show that the known commit reaches them
    expect(commitsIn(cloned.gitDirectory, merge, `^${known}`)).toEqual(
      expect.arrayContaining([...added, merge]),
    );
    expect(cloned.continues).toContain(known);
  });

  test('after a forced push that shares nothing with the known commit, the whole history is fetched', async () => {
    const known = await pushMany(40, 'lost');
    const tree = await git('rev-parse', 'main^{tree}');
    const root = await control().commitTree(path, { tree });
    await git('update-ref', 'refs/heads/main', root);
    const cloned = await clone({ history: 'since', known: [known] });
    expect(cloned).toMatchObject({ commit: root, history: 'full', continues: [] });
    expect(commitsIn(cloned.gitDirectory, root)).toEqual([root]);
  });

  test('after a forced push to an older commit, the new head is fetched with its whole history', async () => {
    const base = await push('base.txt');
    const known = await push('rewritten.txt');
    await git('update-ref', 'refs/heads/main', base);
    const rewritten = await push('again.txt');
    const cloned = await clone({ history: 'since', known: [known] });
    expect(cloned.commit).toBe(rewritten);
    expect(commitsIn(cloned.gitDirectory, rewritten)).toContain(base);
    expect(cloned.history).toBe('full');
  });

  test('without any of the known commits, the whole history is fetched', async () => {
    await pushMany(3, 'a');
    const cloned = await clone({ history: 'since', known: ['0'.repeat(39).concat('1')] });
    expect(cloned).toMatchObject({ history: 'full', continues: [] });
  });
});

test('a repository whose older commits the server does not have either is read as far as it goes', async () => {
  await pushMany(3, 'old');
  const oldest = await push('oldest.txt');
  const newest = await push('newest.txt');
  writeFileSync(join(await git('rev-parse', '--absolute-git-dir'), 'shallow'), `${oldest}\n`);
  const cloned = await clone({ history: 'since', known: ['0'.repeat(39).concat('1')] });
  expect(cloned).toMatchObject({ commit: newest, history: 'full' });
});

describe('branches', () => {
  test('other branches are fetched in the same transfer, and each is named', async () => {
    const main = await push('main.txt');
    const names = ["it's", 'release/1.0', 'feature/ä'];
    const tips = [];
    for (const name of names) {
      await git('branch', name, main);
      tips.push({ name, commit: await push(`${name}.txt`, name) });
    }
    for (const history of ['none', 'full', 'since'] as const) {
      control().requests.reset();
      const cloned = await clone({ history, known: [main], branches: names });
      expect(cloned.commit).toBe(main);
      expect(cloned.tips).toEqual(tips);
      expect(transfers()).toBe(1);
    }
  });

  test('the commits of all branches are fetched, and those of known branches only once', async () => {
    const known = await pushMany(40, 'main');
    await git('branch', 'one', known);
    const one = await push('one.txt', 'one');
    const cloned = await clone({ history: 'since', known: [known], branches: ['one'] });
    expect(commitsIn(cloned.gitDirectory, known, one, `^${known}`)).toEqual([one]);
  });

  test('a branch that is gone is an error of its own, never a scan without it', async () => {
    const known = await push('main.txt');
    for (const history of ['none', 'since', 'full'] as const)
      await expect(clone({ history, known: [known], branches: ['gone'] })).rejects.toMatchObject({
        code: 'clone_failed',
        details: { problem: 'branch_gone' },
      });
  });
});
