import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { defaultRecipes } from '../../simulator/index.ts';
import type { GitWorld } from './support.ts';
import { createGitWorld } from './support.ts';

let world: GitWorld;

beforeAll(async () => {
  world = await createGitWorld({
    recipes: defaultRecipes().filter(({ name }) => !['large', 'monolith'].includes(name)),
  });
});

afterAll(async () => {
  await world?.close();
});

beforeEach(() => {
  world.simulator.control.faults.clear();
  world.simulator.control.requests.reset();
});

const gitRequests = () =>
  world.simulator.control.requests.list().filter(({ route }) => route.startsWith('git'));

test('a clone takes three requests, each with the credential from the start', async () => {
  const directory = world.directory();
  const clone = await world.remote().clone({ ...world.repository('acme/shop'), directory, history: 'none' });
  expect(gitRequests().map(({ route }) => route)).toEqual([
    'git info/refs',
    'git ls-refs',
    'git upload-pack',
  ]);
  expect(gitRequests().every(({ authorization }) => authorization === 'basic')).toBe(true);
  expect(clone.commit).toBe(await world.simulator.control.head('acme/shop'));
  expect(clone.bytes).toBeGreaterThan(0);
  expect(clone.gitDirectory).toBe(directory);
});

test('reading the head takes two requests and leaves no files', async () => {
  const { commit } = await world.remote().readHead(world.repository('acme/shop'));
  expect(gitRequests().map(({ route }) => route)).toEqual(['git info/refs', 'git ls-refs']);
  expect(commit).toBe(await world.simulator.control.head('acme/shop'));
});

test('a clone is bare, one commit deep, without remote, hooks or the attributes of the repository', async () => {
  const directory = world.directory();
  await world.remote().clone({ ...world.repository('acme/hostile'), directory, history: 'none' });
  expect(existsSync(join(directory, 'shallow'))).toBe(true);
  expect(existsSync(join(directory, 'hooks'))).toBe(false);
  expect(readFileSync(join(directory, 'info', 'attributes'), 'utf8')).toMatch(/^\* diff /);
  expect(existsSync(join(directory, '..', 'pwned.env'))).toBe(false);
});

test('a clone has only the files that it needs, and none contains the address', async () => {
  const directory = world.directory();
  await world.remote().clone({ ...world.repository('acme/shop'), directory, history: 'none' });
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  expect(files.map((file) => file.replace(/pack-[0-9a-f]{40}/, 'pack')).toSorted()).toEqual([
    'HEAD',
    'config',
    'info',
    'info/attributes',
    'objects',
    'objects/pack',
    'objects/pack/pack.idx',
    'objects/pack/pack.pack',
    'refs',
    'shallow',
  ]);
});

test('a repository with SHA-256 object names is cloned as one', async () => {
  const directory = world.directory();
  const clone = await world
    .remote()
    .clone({ ...world.repository('acme/modern'), directory, history: 'none' });
  expect(clone.commit).toBe(await world.simulator.control.head('acme/modern'));
  expect(clone.commit).toMatch(/^[0-9a-f]{64}$/);
});

test('with history, all commits are cloned', async () => {
  const directory = world.directory();
  await world.remote().clone({ ...world.repository('acme/chronicle'), directory, history: 'full' });
  expect(existsSync(join(directory, 'shallow'))).toBe(false);
});

test('a repository without commits has no head and is not an error', async () => {
  const empty = world.repository('acme/fresh');
  expect(await world.remote().readHead(empty)).toEqual({ commit: null });
  world.simulator.control.requests.reset();
  const clone = await world.remote().clone({ ...empty, directory: world.directory(), history: 'none' });
  expect(clone.commit).toBeNull();
  // a fetch finds no head; for a clone, the server names the branch of HEAD
  const requested = ['git info/refs', 'git ls-refs'];
  expect(gitRequests().map(({ route }) => route)).toEqual([...requested, ...requested]);
});

test('objects that could harm a reader are refused, and the error names the fault', async () => {
  const directory = world.directory();
  await expect(
    world.remote().clone({ ...world.repository('acme/hostile-tree'), directory, history: 'none' }),
  ).rejects.toMatchObject({ code: 'object_malformed', details: { problem: 'hasDotdot' } });
  expect(existsSync(directory)).toBe(false);
});

test('concurrent clones never exceed the limit of an origin', async () => {
  world.simulator.control.faults.add({
    match: { path: /git-upload-pack$/, fetchOnly: true, times: 6 },
    answer: { kind: 'slow', delayMs: 150 },
  });
  const remote = world.remote({ clonesPerOrigin: 2 });
  const clones = Array.from({ length: 6 }, () =>
    remote.clone({ ...world.repository('acme/shop'), directory: world.directory(), history: 'none' }),
  );
  await Promise.all(clones);
  expect(world.simulator.control.requests.clones().maxInFlight).toBe(2);
});

test('a clone that waits for a limiter stops when it is canceled', async () => {
  const hanging = new AbortController();
  const waiting = new AbortController();
  world.simulator.control.faults.add({
    match: { path: /git-upload-pack$/, fetchOnly: true },
    answer: { kind: 'endless_pack' },
  });
  const remote = world.remote({ clonesPerOrigin: 1 });
  const clone = (signal: AbortSignal) =>
    remote.clone({
      ...world.repository('acme/shop', { signal }),
      directory: world.directory(),
      history: 'none',
    });
  const first = clone(hanging.signal);
  const second = clone(waiting.signal);
  waiting.abort();
  await expect(second).rejects.toMatchObject({ code: 'canceled' });
  hanging.abort();
  await expect(first).rejects.toMatchObject({ code: 'canceled' });
});

const wellFormed = 'acme/shop';

test.each([
  ['an option', { fullPath: '-acme/shop' }],
  ['a parent folder', { fullPath: 'acme/../shop' }],
  ['no group', { fullPath: 'shop' }],
  ['a line break', { fullPath: 'acme/shop\n' }],
  ['user info in the path', { fullPath: 'acme/evil@example.com:shop' }],
  ['a query', { fullPath: 'acme/shop?x=1' }],
  ['a shell', { fullPath: 'acme/$(id)' }],
  ['user info in the base URL', { fullPath: wellFormed, baseUrl: 'https://someone:word@gitlab.example.com' }],
  ['a file', { fullPath: wellFormed, baseUrl: 'file:///etc' }],
  ['a helper', { fullPath: wellFormed, baseUrl: 'ext::sh -c id' }],
  ['ssh', { fullPath: wellFormed, baseUrl: 'ssh://gitlab.example.com' }],
])(
  'an address with %s is refused before git sees it',
  async (_what, { fullPath, ...more }: { fullPath: string; baseUrl?: string }) => {
    await expect(world.remote().readHead(world.repository(fullPath, more))).rejects.toMatchObject({
      code: 'clone_failed',
      details: { problem: 'address_refused' },
    });
    expect(gitRequests()).toEqual([]);
  },
);
