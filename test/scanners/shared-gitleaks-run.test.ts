import { existsSync } from 'node:fs';
import { glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { createSecrets } from '../../simulator/recipes/secrets.ts';
import type { ScanReport } from '../../src/domain/ports.ts';
import { createScanners } from '../../src/scanners/scanners.ts';
import { createFakeScanner } from './fakes.ts';
import type { BareRepository, ScanWorld } from './support.ts';
import { BLOB_MAX_BYTES, createScanWorld, hash, places, runOf } from './support.ts';

const secrets = createSecrets('together');

let world: ScanWorld;
let repositories: BareRepository[];
beforeAll(async () => {
  world = await createScanWorld();
  const withToken = { 'a.env': `GITHUB=${secrets.githubToken()}\n`, 'b.txt': 'nothing\n' };
  repositories = [
    await world.files({ 'first.env': `GITHUB=${secrets.githubToken()}\n` }),
    await world.files(withToken),
    await world.files({ 'clean.txt': 'nothing here\n' }),
    // a copy: the same files make the same snapshot
    await world.files(withToken),
    await world.files({ 'a.env': `GITHUB=${secrets.githubToken()}\n`, '.gitleaks.toml': 'odd\n' }),
    await world.files({ 'picture.png': 'x' }),
  ];
});
afterAll(() => world.close());

const FOUND = [
  ['first.env:1 github-pat'],
  ['a.env:1 github-pat'],
  [],
  ['a.env:1 github-pat'],
  ['a.env:1 github-pat'],
  [],
];
const SCANNED = [1, 2, 1, 2, 2, 0];

/**
 * Scans all repositories at once with a limit of one gitleaks. The first run ends only when all other scans wait
 * for the limiter.
 */
async function scanAll(options: { name: string; lines?: readonly string[]; scanTimeoutMs?: number }) {
  const folder = join(world.folder, options.name);
  await mkdir(folder);
  const [runs, goFile] = [join(folder, 'runs'), join(folder, 'go')];
  const gitleaks = await createFakeScanner({
    folder,
    name: options.name,
    real: world.gitleaks.path,
    lines: [
      `echo "$@" >>'${runs}'`,
      `until [ -e '${goFile}' ]; do sleep 0.05; done`,
      ...(options.lines ?? []),
      'exec "$REAL" "$@"',
    ],
  });
  const scanners = createScanners({
    tools: { gitleaks, 'ast-grep': 'left_out' },
    workFolder: join(folder, 'work'),
    blobMaxBytes: BLOB_MAX_BYTES,
    scanTimeoutMs: options.scanTimeoutMs ?? 60_000,
    concurrency: 1,
  });
  const { signal } = new AbortController();
  const scan = async (repository: BareRepository) => {
    const workDirectory = await mkdtemp(join(folder, 'scan-'));
    return scanners.scan({ ...repository, workDirectory, history: 'none', hash, signal });
  };
  const [first, ...others] = repositories;
  const all = [scan(first ?? { gitDirectory: '', commit: '' })];
  await awaitUntil(() => existsSync(runs), { what: 'the first run' });
  all.push(...others.map(scan));
  await awaitUntil(async () => (await waitingIn(folder)) === repositories.length, { what: 'all of them' });
  await writeFile(goFile, '');
  const reports = await Promise.all(all);
  const lines = (await readFile(runs, 'utf8')).trim().split('\n');
  await rm(folder, { recursive: true });
  return { reports, runs: lines.map((line) => line.match(/\b[0-9a-f]{40}\b/g) ?? []) };
}

/** Number of scans that have reached gitleaks. */
async function waitingIn(folder: string): Promise<number> {
  let count = 0;
  for await (const _ of glob('scan-*/scan-*/gitleaks-*', { cwd: folder })) count += 1;
  return count;
}

function expectCorrectReports(reports: readonly ScanReport[]): void {
  expect(reports.map(places)).toEqual(FOUND);
  expect(reports.map((report) => runOf(report))).toMatchObject(
    SCANNED.map((filesScanned) => ({ status: 'ok', cause: null, filesScanned })),
  );
}

test('snapshots that wait for the limiter share one run that reads copies once, and each gets its own findings', async () => {
  const { reports, runs } = await scanAll({ name: 'one-run' });
  expectCorrectReports(reports);
  expect(runs.map((commits) => commits.length)).toEqual([1, 4]);
});

test('when a shared run fails, each repository is scanned alone, and its time limit does not include the wait', async () => {
  const { reports, runs } = await scanAll({
    name: 'each-alone',
    lines: ['case "$*" in *shared.git*) exit 3 ;; esac', 'sleep 1.5'],
    scanTimeoutMs: 6_000,
  });
  expectCorrectReports(reports);
  expect(runs.map((commits) => commits.length)).toEqual([1, 4, 1, 1, 1, 1, 1]);
});

test('a shared run that reports other commits, or not all of them, is not used', async () => {
  const { reports, runs } = await scanAll({
    name: 'wrong-report',
    lines: [
      'case "$*" in *shared.git*)',
      '  "$REAL" "$@" >out 2>err; code=$?',
      '  sed \'s/"commit":"[0-9a-f]*"/"commit":"\'$(printf c%.0s $(seq 40))\'"/\' out; cat err >&2; exit $code',
      ';; esac',
    ],
  });
  expectCorrectReports(reports);
  expect(runs).toHaveLength(7);
});
