import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { freePort } from '../../src/embedded/home.ts';
import type { GitWorld } from './support.ts';
import { createGitWorld } from './support.ts';

let world: GitWorld;
let path: string;

beforeAll(async () => {
  world = await createGitWorld();
  path = world.simulator.recipes[0]?.path ?? '';
});

afterAll(async () => {
  await world?.close();
});

beforeEach(() => world.simulator.control.faults.clear());

const readHead = () => world.remote().readHead(world.repository(path));
const everyRequest = { path: /\.git\// };

/** GitLab's answers, each with its error code for one repository. */
test.each([
  ['no_credentials', 'token_rejected'],
  ['bad_token_in_header', 'token_rejected'],
  ['not_visible_bot', 'token_rejected'],
  ['scope_without_code', 'token_scope_missing'],
  ['granular_enforced', 'token_scope_missing'],
  ['role_without_code_or_repository_off', 'repository_forbidden'],
  ['http_disabled', 'repository_forbidden'],
  ['not_visible_human', 'repository_gone'],
  ['ip_allowlist', 'repository_gone'],
  ['dumb_protocol', 'repository_gone'],
  ['sso_session', 'sso_session_required'],
  ['ip_banned', 'gitlab_rate_limited'],
  ['throttled', 'gitlab_rate_limited'],
  ['gitaly_down', 'gitlab_unreachable'],
  ['html_gateway', 'gitlab_unreachable'],
])('GitLab answers %s: %s', async (id, code) => {
  world.simulator.control.faults.add({ match: everyRequest, answer: { kind: 'case', id, of: 'git' } });
  await expect(readHead()).rejects.toMatchObject({ code });
});

test('an overloaded Gitaly counts as a rate limit', async () => {
  world.simulator.control.faults.add({ match: { path: /git-upload-pack$/ }, answer: { kind: 'git_error' } });
  await expect(readHead()).rejects.toMatchObject({ code: 'gitlab_rate_limited' });
});

test('a repository that was never created is empty, not gone', async () => {
  world.simulator.control.faults.add({
    match: everyRequest,
    answer: { kind: 'case', id: 'no_repository', of: 'git' },
  });
  expect(await readHead()).toEqual({ commit: null });
});

test('a redirect is refused, and the other host never receives the credential', async () => {
  const other = await createGitWorld();
  try {
    world.simulator.control.faults.add({
      match: everyRequest,
      answer: {
        kind: 'redirect',
        location: `${other.simulator.url}/acme/elsewhere.git/info/refs?service=git-upload-pack`,
      },
    });
    await expect(readHead()).rejects.toMatchObject({ code: 'gitlab_redirected' });
    expect(other.simulator.control.requests.list()).toEqual([]);
  } finally {
    await other.close();
  }
});

test('a truncated pack fails with clone_failed, which is retried', async () => {
  world.simulator.control.faults.add({
    match: { path: /git-upload-pack$/, fetchOnly: true },
    answer: { kind: 'cut', afterBytes: 60 },
  });
  const clone = world
    .remote()
    .clone({ ...world.repository(path), directory: world.directory(), history: 'none' });
  await expect(clone).rejects.toMatchObject({ code: 'clone_failed' });
});

test('an address without a listener is unreachable', async () => {
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  await expect(world.remote().readHead(world.repository(path, { baseUrl }))).rejects.toMatchObject({
    code: 'gitlab_unreachable',
  });
});

test('a web page that answers 200 to everything does not count as an empty repository', async () => {
  world.simulator.control.faults.add({ match: everyRequest, answer: { kind: 'html', status: 200 } });
  const clone = world
    .remote()
    .clone({ ...world.repository(path), directory: world.directory(), history: 'none' });
  await expect(clone).rejects.toMatchObject({ code: 'clone_failed', details: { problem: 'not_git' } });
});

test('an error contains only fixed texts: no token, no address and no text of the server', async () => {
  const echo = `echo ${world.token} ${Buffer.from(`oauth2:${world.token}`).toString('base64')}`;
  world.simulator.control.faults.add({
    match: everyRequest,
    answer: { kind: 'reply', status: 403, headers: { 'Content-Type': 'text/plain' }, body: echo },
  });
  const err: unknown = await readHead().then(
    () => null,
    (reason: unknown) => reason,
  );
  const shown = `${inspect(err, { depth: 20, showHidden: true })} ${JSON.stringify(err)} ${String(err)}`;
  for (const part of [world.token, 'echo', world.simulator.url]) expect(shown).not.toContain(part);
});
