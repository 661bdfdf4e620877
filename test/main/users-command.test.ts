import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { PASSWORD, signedIn, trySignIn, whoIs } from '../support/people.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NEXT = `${PASSWORD} next `;
let folder: string;
let world: TestWorld;
let api: TestApi;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secu-users-'));
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world);
});

beforeEach(async () => {
  await world.db.query('delete from app_user');
});

afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

/** The program as a user starts it. */
async function secu(args: readonly string[], input = '') {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'src/main/cli.ts', ...args],
    {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], SECU_HOME: folder, SECU_URL: api.url, SECU_API_KEY: api.keys.admin },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  child.stdin.end(input);
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ]);
  return { output, errors, code };
}

test('a user is created with a password from standard input, is listed, and can sign in', async () => {
  const created = await secu(['users', 'add', 'alice', '--role', 'operator', '--json'], `${PASSWORD}\n`);
  expect([created.code, created.errors]).toEqual([0, '']);
  expect(JSON.parse(created.output)).toMatchObject({ username: 'alice', role: 'operator' });
  await signedIn(api, 'alice');
  const listed = await secu(['users', 'list']);
  expect(listed.output).toMatch(
    /^ID +USERNAME +ROLE +SOURCE +LAST SIGN-IN\nusr_\w+ +alice +operator +local +20/,
  );
});

test('a password from a file keeps its spaces and ends earlier sessions', async () => {
  await secu(['users', 'add', 'bob', '--role', 'viewer'], PASSWORD);
  const cookie = await signedIn(api, 'bob');
  const file = join(folder, 'password');
  await writeFile(file, `${NEXT}\n`);
  expect(await secu(['users', 'reset-password', 'BOB', '--password-file', file])).toMatchObject({ code: 0 });
  expect(await whoIs(api, cookie)).toEqual([401, undefined]);
  expect((await trySignIn(api, { username: 'bob', password: NEXT.trim() })).status).toBe(401);
  await signedIn(api, 'bob', NEXT);
});

test('a user is removed by name or ID; an unknown user is reported', async () => {
  await secu(['users', 'add', 'carol', '--role', 'viewer'], PASSWORD);
  const created = await secu(['users', 'add', 'dave', '--role', 'viewer', '--json'], PASSWORD);
  expect((await secu(['users', 'remove', 'carol'])).code).toBe(0);
  expect((await secu(['users', 'remove', JSON.parse(created.output).id])).code).toBe(0);
  const gone = await secu(['users', 'remove', 'carol']);
  expect([gone.code, gone.errors]).toEqual([1, expect.stringContaining('there is no user "carol"')]);
});

test('a refusal of the API is shown, and a password is never accepted as an argument', async () => {
  const weak = await secu(['users', 'add', 'erin', '--role', 'viewer'], 'short');
  expect([weak.code, weak.errors]).toEqual([1, expect.stringContaining('fewer than 12 characters')]);
  const empty = await secu(['users', 'add', 'erin', '--role', 'viewer'], '\n');
  expect([empty.code, empty.errors]).toEqual([1, expect.stringContaining('--password-file')]);
  expect((await secu(['users', 'add', 'erin', PASSWORD, '--role', 'viewer'])).code).toBe(2);
  expect((await secu(['users', 'add', 'erin'], PASSWORD)).code).toBe(2);
  await secu(['users', 'add', 'root', '--role', 'admin'], PASSWORD);
  const last = await secu(['users', 'remove', 'root']);
  expect([last.code, last.errors]).toEqual([1, expect.stringContaining('last_administrator')]);
});

test('a setup link is printed while there is no administrator', async () => {
  const created = await secu(['setup-link', '--json']);
  expect(created.code).toBe(0);
  const { url, expiresAt } = JSON.parse(created.output);
  expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
  const json = { code: new URL(url).hash.slice(1), username: 'admin', password: PASSWORD };
  expect((await api.call('POST auth/setup', { as: null, json })).status).toBe(201);
  const late = await secu(['setup-link']);
  expect([late.code, late.errors]).toEqual([1, expect.stringContaining('setup_done')]);
});
