import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readlinkSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { createSecrets } from '../../simulator/recipes/secrets.ts';
import { outcomeOf } from '../../src/domain/scan.ts';
import { correctOutput, createFakeScanner, programsOf } from './fakes.ts';
import type { BareRepository, ScanOptions, ScanWorld } from './support.ts';
import {
  BLOB_MAX_BYTES,
  canFenceNetwork,
  createScanWorld,
  createTestScanners,
  places,
  runOf,
} from './support.ts';

const SCAN_PROGRAM = fileURLToPath(new URL('scan-program.ts', import.meta.url));
const TEXT = `GITHUB=${createSecrets('ends').githubToken()}\n`;

let world: ScanWorld;
let repository: BareRepository;
beforeAll(async () => {
  world = await createScanWorld();
  repository = await world.files({ 'a.env': TEXT });
});
afterAll(() => world.close());

async function gitleaksOf(name: string, lines: readonly string[]) {
  return createFakeScanner({ folder: world.folder, name, real: world.gitleaks.path, lines });
}

async function scanWith(name: string, lines: readonly string[], options: ScanOptions = {}) {
  const gitleaks = await gitleaksOf(name, lines);
  return world.scan(repository, { ...options, options: { ...options.options, gitleaks } });
}

const bytes = Buffer.byteLength(TEXT);
const report = '{"ruleId":"github-pat"';
const FAILURES: ReadonlyArray<readonly [string, string[]]> = [
  ['an exit code that has no meaning', ['"$REAL" "$@"', 'exit 3']],
  ['the exit code of an unknown flag', ['"$REAL" --no-such-flag "$@"']],
  ['a signal', ['kill -KILL $$']],
  ['no output', ['exit 0']],
  ['no report', ['"$REAL" "$@" >/dev/null']],
  ['a report that was cut off', ['"$REAL" "$@" | head -c 40']],
  [
    'a report of garbage',
    [`printf '\\033[31m%s' '${report}'`, ...correctOutput({ commits: 1, bytes, leaks: 1 })],
  ],
  [
    'a report of something else',
    ['echo \'[{"RuleID":"x"}]\'', ...correctOutput({ commits: 1, bytes, leaks: 1 })],
  ],
  ['fewer commits', correctOutput({ commits: 0, bytes, leaks: 0 })],
  ['fewer bytes', correctOutput({ commits: 1, bytes: bytes - 1, leaks: 0 })],
  ['an error in otherwise correct output', ['"$REAL" "$@"', "echo '1:00PM ERR [git] fatal: bad object' >&2"]],
  ['a partial scan', ['"$REAL" "$@"', "echo '1:00PM WRN partial scan completed in 1s' >&2"]],
  ['an unknown message', ['"$REAL" "$@"', "echo 'something new' >&2"]],
  ['output without an end', ['yes \'{"ruleId":"x"}\'']],
  ['errors without an end', ['yes error >&2']],
];

describe('a scanner that ends with an error fails, and its findings are not used:', () => {
  test.each(FAILURES)('%s', async (name, lines) => {
    const result = await scanWith(name.replaceAll(' ', '-'), lines);
    expect(runOf(result)).toMatchObject({ status: 'failed', cause: 'scanner_crashed', findings: 0 });
    expect(result.findings).toEqual([]);
    expect(outcomeOf(result.runs)).toEqual({ status: 'failed', cause: 'scanner_crashed' });
    expect(programsOf(world.folder)).toEqual([]);
  });

  test('but not one with a correct report', async () => {
    const result = await scanWith('well', correctOutput({ commits: 1, bytes, leaks: 0 }));
    expect(runOf(result)).toMatchObject({ status: 'ok', cause: null, findings: 0, filesScanned: 1 });
  });

  test('but not one with more findings than the limit: the report has the reason more_findings', async () => {
    const many = await world.files({ 'a.env': TEXT, 'b.env': TEXT, 'c.env': TEXT });
    const enough = await world.scan(many, { options: { maxFindings: 3 } });
    expect(runOf(enough)).toMatchObject({ status: 'ok', findings: 3 });
    expect(enough.incompleteBecause).toEqual([]);
    const tooMany = await world.scan(many, { options: { maxFindings: 2 } });
    expect(runOf(tooMany)).toMatchObject({ status: 'ok', cause: null, findings: 2 });
    expect(tooMany.findings).toHaveLength(2);
    expect(tooMany.incompleteBecause).toEqual(['more_findings']);
  });

  test('a program that no longer exists', async () => {
    const gitleaks = { path: join(world.folder, 'no-such-program'), version: '8.30.1' };
    const result = await world.scan(repository, { options: { gitleaks } });
    expect(runOf(result)).toMatchObject({ status: 'failed', cause: 'scanner_crashed' });
  });
});

test('a scanner that is not installed is unavailable, and a scan without findings is incomplete', async () => {
  const result = await world.scan(repository, { options: { gitleaks: null } });
  expect(runOf(result)).toMatchObject({ status: 'unavailable', version: null, rules: null, cause: null });
  expect(outcomeOf(result.runs)).toEqual({ status: 'succeeded', outcome: 'incomplete' });
});

/** Hangs, has child processes and ignores stop signals. */
const HANGING = ["trap '' TERM INT HUP", 'sleep 600 &', '(sleep 600; true) &', 'sleep 600', 'exit 0'];

describe('no process of a scanner survives', () => {
  test('its deadline, which has its own cause', async () => {
    const result = await scanWith('deadline', HANGING, { options: { scanTimeoutMs: 1_500 } });
    expect(runOf(result)).toMatchObject({ status: 'failed', cause: 'scan_timed_out', findings: 0 });
    expect(programsOf(world.folder)).toEqual([]);
  });

  test('a cancel, which is an error and not a result', async () => {
    const cancel = new AbortController();
    const scan = scanWith('cancel', HANGING, { signal: cancel.signal });
    const hanging = () => programsOf(world.folder).length >= 3;
    await awaitUntil(hanging, { what: 'a scanner that hangs' });
    cancel.abort();
    await expect(scan).rejects.toMatchObject({ code: 'canceled' });
    expect(programsOf(world.folder)).toEqual([]);
  });

  test('a cancel before the start', async () => {
    const canceled = world.scan(repository, { signal: AbortSignal.abort() });
    await expect(canceled).rejects.toMatchObject({ code: 'canceled' });
  });

  test('the program that started it, even if that was killed', async () => {
    const { path } = await gitleaksOf('orphan', HANGING);
    const folder = join(world.folder, 'orphan');
    await mkdir(folder);
    const args = [SCAN_PROGRAM, path, folder, repository.gitDirectory, repository.commit];
    const parent = spawn(process.execPath, args, { stdio: 'ignore' });
    const own = String(parent.pid);
    const others = () => programsOf(folder).filter((id) => id !== own);
    await awaitUntil(() => others().length >= 3, { what: 'a scanner that hangs' });
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await awaitUntil(() => others().length === 0, { what: 'the end of the scanner' });
  });

  test('a scan: its folder is always empty afterwards', async () => {
    const folder = join(world.folder, 'kept');
    await mkdir(folder);
    for (const lines of [['"$REAL" "$@"'], ['exit 3']]) {
      const gitleaks = await gitleaksOf(`kept-${lines.length}`, lines);
      const common = { workFolder: join(world.folder, 'work'), blobMaxBytes: BLOB_MAX_BYTES };
      const { signal } = new AbortController();
      await createTestScanners({
        ...common,
        astGrep: 'left_out',
        gitleaks,
        scanTimeoutMs: 60_000,
        concurrency: 1,
      }).scan({
        ...repository,
        workDirectory: folder,
        history: 'none',
        hash: (text) => text,
        signal,
      });
      expect(await readdir(folder)).toEqual([]);
    }
  });
});

test('the environment of a scanner contains no variable of Secu', async () => {
  process.env['SECU_OF_THE_TEST'] = 'must not be seen';
  const observed = join(world.folder, 'environment');
  try {
    await scanWith('environment', [`env >'${observed}'`, 'exec "$REAL" "$@"']);
  } finally {
    delete process.env['SECU_OF_THE_TEST'];
  }
  const names = (await readFile(observed, 'utf8')).split('\n').map((line) => line.replace(/=.*/, ''));
  const ofTheShell = ['', 'OLDPWD', 'PWD', 'SHLVL', '_'];
  expect(names.filter((name) => !ofTheShell.includes(name)).toSorted()).toEqual([
    'GIT_ALLOW_PROTOCOL',
    'GIT_ATTR_NOSYSTEM',
    'GIT_CONFIG_GLOBAL',
    'GIT_CONFIG_NOSYSTEM',
    'GIT_DIR',
    'GIT_NO_LAZY_FETCH',
    'GIT_NO_REPLACE_OBJECTS',
    'GIT_OPTIONAL_LOCKS',
    'GIT_TERMINAL_PROMPT',
    'GOGC',
    'GOMEMLIMIT',
    'HOME',
    'LC_ALL',
    'PATH',
    'TMPDIR',
  ]);
});

test('a scanner has no network if the machine can isolate it', async () => {
  const observed = join(world.folder, 'network');
  const gitleaks = await gitleaksOf('network', [
    `readlink /proc/self/ns/net >'${observed}'`,
    'exec "$REAL" "$@"',
  ]);
  const result = await world.scan(repository, { options: { gitleaks } });
  expect(places(result)).toEqual(['a.env:1 github-pat']);
  const ownNetwork = readlinkSync('/proc/self/ns/net');
  const isOurs = (await readFile(observed, 'utf8')).trim() === ownNetwork;
  expect(isOurs).toBe(!(await canFenceNetwork(world.folder)));
});

test('nothing in a repository is run or written: hooks, filters, configuration', async () => {
  const trap = join(world.folder, 'trapped');
  const touch = `touch '${trap}'`;
  const hostile = await world.files({
    '.gitattributes': '* filter=evil diff=evil\n',
    config: `[core]\n\tfsmonitor = "${touch}"\n\tpager = "${touch}"\n[filter "evil"]\n\tclean = ${touch}\n`,
    'hooks/post-checkout': { content: `#!/bin/sh\n${touch}\n`, mode: '100755' },
    'a.env': TEXT,
  });
  // Our clones never have this, but a scan does not rely on that.
  await appendFile(
    join(hostile.gitDirectory, 'config'),
    `[core]\n\tfsmonitor = ${touch}\n[diff "evil"]\n\ttextconv = ${touch}\n`,
  );
  expect(places(await world.scan(hostile))).toEqual(['a.env:1 github-pat']);
  expect(existsSync(trap)).toBe(false);
});

test('the rules in force have one hash, which changes with the installed scanners and their versions', () => {
  const common = {
    workFolder: join(world.folder, 'work'),
    blobMaxBytes: 1,
    scanTimeoutMs: 1,
    concurrency: 1,
  };
  const rulesOf = (gitleaks: { path: string; version: string } | null) =>
    createTestScanners({ ...common, astGrep: 'left_out', gitleaks }).rules;
  const path = world.gitleaks.path;
  expect(rulesOf(world.gitleaks)).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(rulesOf({ path: '/elsewhere/gitleaks', version: '8.30.1' })).toBe(rulesOf(world.gitleaks));
  expect(new Set([rulesOf({ path, version: '8.31.0' }), rulesOf(world.gitleaks), rulesOf(null)]).size).toBe(
    3,
  );
});
