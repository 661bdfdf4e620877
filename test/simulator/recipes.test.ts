import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { toolPath } from '../../harness/tools.ts';
import type { ExpectedFinding, Recipe } from '../../simulator/index.ts';
import { defaultRecipes, fleetRecipes } from '../../simulator/index.ts';
import { cloneUrl, git, scanWithGitleaks } from './scan.ts';
import type { Started } from './start.ts';
import { startSimulator } from './start.ts';

const RECIPES = [...defaultRecipes(), ...fleetRecipes(5)];

let started: Started;
let gitleaks: string;
let token: string;
beforeAll(async () => {
  gitleaks = await toolPath('gitleaks');
  started = await startSimulator({ recipes: RECIPES });
  token = started.simulator.control.createToken({}).token;
}, 300_000);
afterAll(() => started.stop());

async function clone({ recipe, flags }: { recipe: Recipe; flags: string[] }): Promise<string> {
  const { home, simulator } = started;
  const folder = join(home, `${recipe.name}${flags.length}.git`);
  const url = cloneUrl({ url: simulator.url, path: recipe.path, token });
  const config = ['-c', 'transfer.fsckObjects=true'];
  await git({ home, args: [...config, 'clone', '--quiet', '--bare', '--no-tags', ...flags, url, folder] });
  return folder;
}

/** The findings of gitleaks without our decoding, in a fixed order. */
function visible(findings: ExpectedFinding[]): string[] {
  return findings
    .filter(({ needs }) => needs === undefined)
    .map(({ path, line, ruleId }) => `${path}:${line} ${ruleId}`)
    .toSorted();
}

const SHALLOW = ['--depth', '1', '--single-branch'];
const scannable = RECIPES.filter(
  ({ expect: { clone: outcome = 'ok', listed, excludedBecause } }) =>
    outcome === 'ok' && listed && excludedBecause !== 'repository_disabled',
);

test.each(scannable.map((recipe) => [recipe.name, recipe] as const))(
  '%s: gitleaks finds at its head exactly the findings of the recipe',
  async (_name, recipe) => {
    const repository = await clone({ recipe, flags: SHALLOW });
    const found = await scanWithGitleaks({ gitleaks, repository, home: started.home });
    expect(visible(found)).toEqual(visible(recipe.expect.findings));
  },
);

test('a deleted secret is found only in the whole history', async () => {
  const recipe = RECIPES.find(({ expect: { historyFindings } }) => historyFindings !== undefined);
  if (recipe === undefined) throw new Error('no recipe has findings in its history');
  const repository = await clone({ recipe, flags: [] });
  const found = await scanWithGitleaks({ gitleaks, repository, home: started.home });
  expect(visible(found)).toEqual(
    visible([...recipe.expect.findings, ...(recipe.expect.historyFindings ?? [])]),
  );
});

test('git refuses the repositories that it should refuse, and empty repositories are empty', async () => {
  for (const recipe of RECIPES) {
    const outcome = recipe.expect.clone ?? 'ok';
    if (outcome === 'refused') await expect(clone({ recipe, flags: SHALLOW })).rejects.toThrow('hasDotgit');
    if (outcome !== 'empty' || recipe.project?.repositoryExists === false) continue;
    const repository = await clone({ recipe, flags: SHALLOW });
    expect(await git({ home: started.home, args: ['--git-dir', repository, 'for-each-ref'] })).toBe('');
  }
});

test('every expectation names an existing file', async () => {
  for (const recipe of scannable) {
    const { findings, mayFind = [], cleanPaths = [], flaws = [] } = recipe.expect;
    const head = await started.simulator.control.head(recipe.path);
    const listing = await started.simulator.control.files(recipe.path, head ?? '');
    const named = [...findings, ...mayFind, ...flaws].map(({ path }) => path);
    expect(listing).toEqual(expect.arrayContaining([...new Set([...named, ...cleanPaths])]));
  }
});

test('the code that creates the secrets contains none', async () => {
  const { home } = started;
  const folder = join(home, 'source');
  await git({ home, args: ['init', '--quiet', folder] });
  const source = new URL('../../simulator/', import.meta.url).pathname;
  const flags = ['-C', folder, `--work-tree=${source}`];
  await git({ home, args: [...flags, 'add', '--all', '.'] });
  await git({
    home,
    args: [...flags, '-c', 'user.name=x', '-c', 'user.email=x@example.com', 'commit', '-qm', 'x'],
  });
  expect(await scanWithGitleaks({ gitleaks, repository: join(folder, '.git'), home })).toEqual([]);
});

test('a larger fleet begins with the smaller one, and every tenth project has one secret', () => {
  const names = (recipes: Recipe[]) => recipes.map(({ name }) => name);
  expect(names(fleetRecipes(100)).slice(0, 30)).toEqual(names(fleetRecipes(30)));
  expect(fleetRecipes(100).flatMap(({ expect: { findings } }) => findings)).toHaveLength(10);
});
