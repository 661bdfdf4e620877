import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { toolPath } from '../../harness/tools.ts';
import { defaultRecipes } from '../../simulator/index.ts';
import { SecuError } from '../../src/domain/errors.ts';
import type { CloneResult } from '../../src/domain/ports.ts';
import type { Runner } from '../../src/process-runner/runner.ts';
import { createRunner } from '../../src/process-runner/runner.ts';
import type { ScannersOptions } from '../../src/scanners/scanners.ts';
import { createScanners } from '../../src/scanners/scanners.ts';
import type { GitWorld } from '../git/support.ts';
import { createGitWorld } from '../git/support.ts';
import { createFakeScanner, programsOf } from '../scanners/fakes.ts';
import { hash } from '../scanners/support.ts';

const HANGING = ["trap '' TERM INT HUP", 'sleep 600 &', 'sleep 600', 'exit 0'];

let world: GitWorld;
let real: string;
const runners: Runner[] = [];

beforeAll(async () => {
  world = await createGitWorld({ recipes: defaultRecipes() });
  real = await toolPath('gitleaks');
});
afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.close()));
});
afterAll(() => world.close());

function scannersOptions(path = real): ScannersOptions {
  return {
    tools: { gitleaks: { path, version: '8.30.1' }, 'ast-grep': 'left_out' },
    workFolder: join(world.folder, 'scanners'),
    blobMaxBytes: 1_000_000,
    scanTimeoutMs: 60_000,
    concurrency: 1,
  };
}

const stderrTexts: string[] = [];

function runner(
  more: {
    path?: string;
    idleMs?: number;
    pin?: () => Promise<string | null>;
    proxy?: string;
    requireIsolation?: boolean;
  } = {},
): Runner {
  const created = createRunner({
    environment: process.env,
    options: {
      git: {
        workFolder: join(world.folder, 'runner'),
        clonesPerOrigin: 4,
        cloneTimeoutMs: 60_000,
        cloneMaxBytes: 64 * 1024 * 1024,
        headTimeoutMs: 20_000,
      },
      scanners: scannersOptions(more.path),
      requireIsolation: more.requireIsolation ?? false,
    },
    routeFor: async () => ({
      pin: more.pin === undefined ? null : await more.pin(),
      proxy: more.proxy ?? null,
    }),
    onStderr: (text) => stderrTexts.push(text),
    ...(more.idleMs === undefined ? {} : { idleMs: more.idleMs }),
  });
  runners.push(created);
  return created;
}

/** The first repository of the simulated GitLab with findings. */
function path(): string {
  const recipe = world.simulator.recipes.find(
    ({ expect: { findings, listed } }) => listed && findings.length > 2,
  );
  if (recipe === undefined) throw new Error('no recipe has findings');
  return recipe.path;
}

const clone = (by: Runner) =>
  by.git.clone({ ...world.repository(path()), directory: world.directory(), history: 'none' });

async function scanInput({ gitDirectory, commit }: CloneResult, signal = new AbortController().signal) {
  const workDirectory = await mkdtemp(join(world.folder, 'scan-'));
  return { gitDirectory, workDirectory, commit: commit ?? '', history: 'none' as const, hash, signal };
}

/** PIDs of the runners that this process started. */
function runnerPids(): string[] {
  return programsOf('src/process-runner/program.ts').filter(
    (pid) => /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] === String(process.pid),
  );
}

test('clones, reads heads and scans like this process: the same findings, the same fingerprints', async () => {
  const by = runner();
  const cloned = await clone(by);
  expect(cloned.commit).toMatch(/^[0-9a-f]{40}$/);
  expect(await by.git.readHead(world.repository(path()))).toEqual({ commit: cloned.commit });
  const report = await by.scan(await scanInput(cloned));
  const here = await createScanners(scannersOptions()).scan(await scanInput(cloned));
  expect(report.findings.length).toBeGreaterThan(2);
  expect(report.findings).toEqual(here.findings);
  expect(runnerPids()).toHaveLength(1);
});

test('an error keeps its code and details; a refused address has those of the policy', async () => {
  const refused = runner().git.readHead(world.repository('no/such-repository'));
  await expect(refused).rejects.toMatchObject({ name: 'SecuError', code: 'token_rejected' });
  const refusing = runner({
    pin: async () => {
      throw new SecuError('origin_not_allowed', 'not here', { details: { problem: 'address' } });
    },
  });
  await expect(clone(refusing)).rejects.toMatchObject({
    code: 'origin_not_allowed',
    message: 'not here',
    details: { problem: 'address' },
  });
});

test('with SECU_REQUIRE_ISOLATION, a runner without isolation starts neither git nor a scanner', async () => {
  const refusal = { code: 'scanner_crashed', details: { problem: 'not_isolated' } };
  const refusing = runner({ requireIsolation: true });
  await expect(clone(refusing)).rejects.toMatchObject(refusal);
  const report = await refusing.scan(await scanInput(await clone(runner())));
  expect(report.runs).toMatchObject([{ name: 'gitleaks', status: 'failed', cause: 'scanner_crashed' }]);
});

test('git goes through the proxy that the policy names', async () => {
  // no server listens on this port
  const by = runner({ proxy: 'http://127.0.0.1:9' });
  await expect(clone(by)).rejects.toMatchObject({ code: 'gitlab_unreachable' });
});

test('a cancel stops the job, and is reported after all its processes have ended', async () => {
  const { path: hanging } = await createFakeScanner({
    folder: world.folder,
    name: 'hanging',
    real,
    lines: HANGING,
  });
  const by = runner({ path: hanging });
  const cancel = new AbortController();
  const input = await scanInput(await clone(by), cancel.signal);
  const scan = by.scan(input);
  await awaitUntil(() => programsOf(input.workDirectory).length >= 2, { what: 'a scanner that hangs' });
  cancel.abort();
  await expect(scan).rejects.toMatchObject({ code: 'canceled' });
  expect(programsOf(input.workDirectory)).toEqual([]);
  await expect(by.scan(input)).rejects.toMatchObject({ code: 'canceled' });
});

describe('when the process ends', () => {
  const kill = async (workDirectory: string, but: readonly string[] = []) => {
    await awaitUntil(
      () => programsOf(workDirectory).length >= 2 && runnerPids().some((pid) => !but.includes(pid)),
      { what: 'a scanner that hangs' },
    );
    const [pid = ''] = runnerPids().filter((one) => !but.includes(one));
    process.kill(Number(pid), 'SIGKILL');
    return pid;
  };

  test('a job is retried alone; a job that ends that process too fails with runner_ended, and no process is left', async () => {
    const { path: hanging } = await createFakeScanner({
      folder: world.folder,
      name: 'killed',
      real,
      lines: HANGING,
    });
    const by = runner({ path: hanging });
    const cloned = await clone(by);
    const input = await scanInput(cloned);
    const scan = by.scan(input);
    scan.catch(() => undefined); // expected below
    const first = await kill(input.workDirectory);
    await kill(input.workDirectory, [first]);
    await expect(scan).rejects.toMatchObject({
      code: 'scanner_crashed',
      details: { problem: 'runner_ended' },
    });
    await awaitUntil(() => programsOf(input.workDirectory).length === 0, { what: 'the end of the scanner' });
    expect((await clone(by)).commit).toBe(cloned.commit);
    expect(runnerPids()).not.toContain(first);
  });

  test('the other jobs succeed, and a job that ended a process alone never runs beside others again', async () => {
    const { path: hanging } = await createFakeScanner({
      folder: world.folder,
      name: 'dangerous',
      real,
      lines: HANGING,
    });
    const by = runner({ path: hanging });
    const input = await scanInput(await clone(by));
    const scan = by.scan(input);
    scan.catch(() => undefined); // expected below
    const first = await kill(input.workDirectory);
    const second = await kill(input.workDirectory, [first]);
    await expect(scan).rejects.toMatchObject({ code: 'scanner_crashed' });
    await clone(by);
    const shared = runnerPids();
    const again = by.scan(
      await scanInput({
        gitDirectory: input.gitDirectory,
        commit: input.commit,
        bytes: 0,
        ms: 0,
        branch: null,
        tips: [],
        isWhole: false,
        history: 'none',
        continues: [],
      }),
    );
    again.catch(() => undefined); // expected below
    await awaitUntil(() => runnerPids().length === 2, { what: 'a process of its own' });
    const [own = ''] = runnerPids().filter((pid) => !shared.includes(pid));
    expect([first, second]).not.toContain(own);
    process.kill(Number(own), 'SIGKILL');
    await expect(again).rejects.toMatchObject({ code: 'scanner_crashed' });
    expect(runnerPids()).toEqual(shared);
  });
});

test('the process gets none of our settings, and its environment and arguments contain no token', async () => {
  process.env['SECU_OF_THE_TEST'] = 'must not be seen';
  try {
    await clone(runner());
    const [pid] = runnerPids();
    const observed = ['environ', 'cmdline']
      .map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'))
      .join('\0');
    expect(observed).toContain('PATH=');
    expect(observed).not.toContain('SECU_OF_THE_TEST');
    expect(observed).not.toContain(world.token);
  } finally {
    delete process.env['SECU_OF_THE_TEST'];
  }
});

test('standard error of the process is written only to the log, which removes secrets', async () => {
  const by = runner();
  await clone(by);
  // node writes to standard error that its debugger listens, or that its port is in use
  process.kill(Number(runnerPids()[0]), 'SIGUSR1');
  await clone(by);
  await by.close();
  await awaitUntil(() => stderrTexts.length === 1, { what: 'the standard error' });
  expect(stderrTexts[0]).toMatch(/debugger|inspector/i);
});

test('an idle process ends and is started again', async () => {
  const by = runner({ idleMs: 50 });
  await clone(by);
  await awaitUntil(() => runnerPids().length === 0, { what: 'the end of the runner' });
  await clone(by);
  expect(runnerPids().length).toBeLessThanOrEqual(1);
});

test('closing fails the jobs that are running', async () => {
  const { path: hanging } = await createFakeScanner({
    folder: world.folder,
    name: 'closed',
    real,
    lines: HANGING,
  });
  const by = runner({ path: hanging });
  const input = await scanInput(await clone(by));
  const scan = by.scan(input);
  await awaitUntil(() => programsOf(input.workDirectory).length >= 2, { what: 'a scanner that hangs' });
  await Promise.all([by.close(), expect(scan).rejects.toMatchObject({ code: 'scanner_crashed' })]);
  await awaitUntil(() => programsOf(input.workDirectory).length === 0, { what: 'the end of the scanner' });
});
