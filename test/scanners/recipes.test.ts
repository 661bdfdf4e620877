import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ExpectedFinding, Recipe, Simulator } from '../../simulator/index.ts';
import { createSimulator, defaultRecipes, fleetRecipes } from '../../simulator/index.ts';
import type { GitRemote, ScanReport } from '../../src/domain/ports.ts';
import { Secret } from '../../src/domain/secret.ts';
import { createGitRemote } from '../../src/git/remote.ts';
import { findAstGrep } from '../../src/scanners/ast-grep/find.ts';
import type { ScanWorld } from './support.ts';
import { createScanWorld, runOf } from './support.ts';

const RECIPES = [...defaultRecipes(), ...fleetRecipes(1)];
const scannable = RECIPES.filter(
  ({ expect: { clone = 'ok', listed, excludedBecause } }) =>
    clone === 'ok' && listed && excludedBecause !== 'repository_disabled',
);

let world: ScanWorld;
let simulator: Simulator;
let remote: GitRemote;
let token: Secret;
beforeAll(async () => {
  world = await createScanWorld();
  simulator = await createSimulator({ folder: join(world.folder, 'gitlab'), recipes: RECIPES });
  token = new Secret(simulator.control.createToken({}).token);
  remote = createGitRemote({
    workFolder: join(world.folder, 'git'),
    pinFor: async () => null,
    proxyFor: () => null,
    clonesPerOrigin: 4,
    cloneTimeoutMs: 60_000,
    cloneMaxBytes: 256 * 1024 * 1024,
    headTimeoutMs: 20_000,
  });
}, 120_000);
afterAll(async () => {
  await simulator.close();
  await world.close();
});

async function cloneAndScan({ recipe, history }: { recipe: Recipe; history: 'none' | 'full' }) {
  const directory = join(world.folder, `${recipe.name}-${history}`);
  await mkdir(directory);
  const { signal } = new AbortController();
  const { gitDirectory, commit } = await remote.clone({
    baseUrl: simulator.url,
    fullPath: recipe.path,
    token,
    signal,
    directory,
    history,
  });
  if (commit === null) throw new Error(`${recipe.name} is empty`);
  return world.scan({ gitDirectory, commit }, { history, options: { astGrep: findAstGrep() } });
}

/** If a more specific rule of ours may match instead, the rule is not compared. */
function wanted(findings: readonly ExpectedFinding[]): string[] {
  return findings.map(({ path, line, ruleId }) => placeOf(path, line, ruleId)).toSorted();
}

function found(report: ScanReport, recipe: Recipe): string[] {
  const allowed = (recipe.expect.mayFind ?? []).map(({ path, line }) => `${path}:${line}`);
  const ours = new Set(['aws-secret-access-key', 'config-file-password']);
  return report.findings
    .filter(({ kind }) => kind === 'secret')
    .filter(({ path, startLine }) => !allowed.includes(`${path}:${startLine}`))
    .map(({ path, startLine, ruleId }) =>
      placeOf(path, startLine, ours.has(ruleId) ? 'generic-api-key' : ruleId),
    )
    .toSorted();
}

function wantedFlaws({ expect: { flaws = [] } }: Recipe): string[] {
  return flaws
    .flatMap(({ path, line, ruleId, kind }) =>
      ruleId === undefined ? [] : [`${kind} ${placeOf(path, line, ruleId)}`],
    )
    .toSorted();
}

function foundFlaws(report: ScanReport): string[] {
  return report.findings
    .filter(({ kind }) => kind !== 'secret')
    .map(({ kind, path, startLine, ruleId }) => `${kind} ${placeOf(path, startLine, ruleId)}`)
    .toSorted();
}

function placeOf(path: string, line: number, ruleId: string): string {
  return `${path}:${line} ${ruleId}`;
}

test.each(scannable.map((recipe) => [recipe.name, recipe] as const))(
  '%s: a clone of depth 1 has exactly the findings of the recipe',
  async (_name, recipe) => {
    const report = await cloneAndScan({ recipe, history: 'none' });
    expect(found(report, recipe)).toEqual(wanted(recipe.expect.findings));
    expect(foundFlaws(report)).toEqual(wantedFlaws(recipe));
    const [secrets, code] = [runOf(report), runOf(report, 'ast-grep')];
    expect(secrets).toMatchObject({ status: 'ok', cause: null });
    expect(['ok', 'not_applicable']).toContain(code.status);
    expect(secrets.findings + code.findings).toBe(report.findings.length);
  },
);

test('our rules find the password in a database address, which default rules miss', async () => {
  const recipe = scannable.find(({ name }) => name === 'terraform');
  if (recipe === undefined) throw new Error('no such recipe');
  const report = await cloneAndScan({ recipe, history: 'full' });
  const found = report.findings.filter(({ path }) => path === 'ci/database.env');
  expect(found.map(({ ruleId, startLine }) => [ruleId, startLine])).toEqual([['database-url-password', 1]]);
});

test('a deleted secret is found in the whole history, in addition to those of the head', async () => {
  const recipe = scannable.find(({ expect: { historyFindings } }) => historyFindings !== undefined);
  if (recipe === undefined) throw new Error('no recipe has findings in its history');
  const { findings, historyFindings = [] } = recipe.expect;
  const report = await cloneAndScan({ recipe, history: 'full' });
  expect(found(report, recipe)).toEqual(wanted([...findings, ...historyFindings]));
});

test('skipped files of the hostile repository are counted once, by reason, also with its history', async () => {
  const recipe = scannable.find(({ name }) => name === 'hostile');
  if (recipe === undefined) throw new Error('no such recipe');
  const report = await cloneAndScan({ recipe, history: 'full' });
  const reasons = runOf(report).filesSkipped.map(({ reason, count }) => [reason, count]);
  expect(Object.fromEntries(reasons)).toEqual({ too_large: 1, link: 4, submodule: 1 });
});
