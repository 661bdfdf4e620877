import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { defaultRecipes } from '../../simulator/index.ts';
import { descendants, processesNaming } from './processes.ts';
import type { GitWorld } from './support.ts';
import { createGitWorld } from './support.ts';

let world: GitWorld;
let path: string;

beforeAll(async () => {
  world = await createGitWorld({
    recipes: defaultRecipes().filter((recipe) => ['acme/shop', 'acme/monolith'].includes(recipe.path)),
  });
  path = 'acme/shop';
});

afterAll(async () => {
  await world?.close();
});

beforeEach(() => world.simulator.control.faults.clear());

function endless(answer: { data?: boolean; bytesPerSecond?: number } = {}) {
  world.simulator.control.faults.add({
    match: { path: /git-upload-pack$/, fetchOnly: true },
    answer: { kind: 'endless_pack', ...answer },
  });
}

const gitsLeft = () =>
  descendants(process.pid).filter(({ commandLine }) => /\bgit\b|supervise/.test(commandLine));

test('the deadline ends git and all its child processes', async () => {
  endless();
  const directory = world.directory();
  const clone = world
    .remote({ cloneTimeoutMs: 1_500 })
    .clone({ ...world.repository(path), directory, history: 'none' });
  await expect(clone).rejects.toMatchObject({ code: 'clone_timed_out' });
  expect(gitsLeft()).toEqual([]);
  expect(existsSync(directory)).toBe(false);
});

test('a cancel ends git and all its child processes', async () => {
  endless();
  const stop = new AbortController();
  const directory = world.directory();
  const clone = world
    .remote()
    .clone({ ...world.repository(path, { signal: stop.signal }), directory, history: 'none' });
  clone.catch(() => 'looked at below');
  await awaitUntil(() => gitsLeft().some(({ commandLine }) => commandLine.includes('remote-http')));
  stop.abort();
  await expect(clone).rejects.toMatchObject({ code: 'canceled' });
  expect(gitsLeft()).toEqual([]);
  expect(existsSync(directory)).toBe(false);
});

test('an address that never answers a read of the head is unreachable', async () => {
  world.simulator.control.faults.add({ match: { path: /\.git\// }, answer: { kind: 'hang' } });
  await expect(world.remote({ headTimeoutMs: 1_000 }).readHead(world.repository(path))).rejects.toMatchObject(
    {
      code: 'gitlab_unreachable',
    },
  );
  expect(gitsLeft()).toEqual([]);
});

test('a pack beyond the limit is removed', async () => {
  const directory = world.directory();
  const clone = world
    .remote({ cloneMaxBytes: 100_000 })
    .clone({ ...world.repository('acme/monolith'), directory, history: 'none' });
  await expect(clone).rejects.toMatchObject({ code: 'clone_too_large' });
  expect(existsSync(directory)).toBe(false);
  expect(gitsLeft()).toEqual([]);
});

test('after SIGKILL of a cloning process, no git process is left', async () => {
  endless();
  const program = fileURLToPath(new URL('clone-program.ts', import.meta.url));
  const directory = world.directory();
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      program,
      join(world.folder, 'killed'),
      world.simulator.url,
      path,
      directory,
    ],
    { env: { PATH: process.env['PATH'], TEST_TOKEN: world.token }, stdio: 'ignore' },
  );
  await awaitUntil(() => world.simulator.control.requests.clones().inFlight === 1);
  expect(processesNaming(directory).length).toBeGreaterThan(1);
  child.kill('SIGKILL');
  await awaitUntil(() => processesNaming(directory).length === 0);
});
