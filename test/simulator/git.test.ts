import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { cloneUrl, git } from './scan.ts';
import type { Started } from './start.ts';
import { startSimulator } from './start.ts';

const Cases = z.array(z.object({ id: z.string(), git_exit_code: z.number(), git_stderr: z.string() }));
const Failure = z.object({ code: z.number(), stderr: z.string() });

let started: Started;
let turn = 0;
beforeAll(async () => {
  started = await startSimulator({
    now: () => new Date('2026-11-24T10:00:00Z'),
    ban: { failures: 4, withinMs: 60_000, banMs: 900_000 },
  });
});
beforeEach(() => {
  started.simulator.control.forgiveBans();
  started.simulator.control.faults.clear();
});
afterAll(async () => {
  expect(started.simulator.control.failures()).toEqual([]);
  await started.stop();
});

const control = () => started.simulator.control;
const address = (path: string, token: string) => cloneUrl({ url: started.simulator.url, path, token });

async function clone(path: string, token: string, flags: string[] = ['--depth', '1', '--single-branch']) {
  turn += 1;
  const folder = join(started.home, `clone-${turn}.git`);
  await git({
    home: started.home,
    args: ['clone', '--bare', '--no-tags', ...flags, address(path, token), folder],
  });
  return folder;
}

/** The output of git for a failed clone, with the address of the examples instead of the instance's. */
async function failedClone(
  path: string,
  token: string,
  flags?: string[],
): Promise<{ code: number; stderr: string }> {
  const error: unknown = await clone(path, token, flags).then(
    () => null,
    (reason: unknown) => reason,
  );
  const { code, stderr } = Failure.parse(error);
  return {
    code,
    stderr: stderr
      .replaceAll(started.simulator.url, 'https://gitlab.example.com')
      .replace(/^Cloning into.*\n/, '')
      .trim(),
  };
}

function wantedCase(id: string, path: string): { code: number; stderr: string } {
  const text = readFileSync(new URL('../../simulator/data/git_http_cases.json', import.meta.url), 'utf8');
  const found = Cases.parse(JSON.parse(text)).find((entry) => entry.id === id);
  if (found === undefined) throw new Error(`no case ${id}`);
  return { code: found.git_exit_code, stderr: found.git_stderr.replaceAll('acme/shop', path) };
}

test.each([['api'], ['read_api'], ['read_repository'], ['write_repository']])(
  'a token with only %s clones',
  async (scope) => {
    const { token } = control().createToken({ scopes: [scope] });
    const folder = await clone('acme/shop', token);
    const head = await git({ home: started.home, args: ['--git-dir', folder, 'rev-parse', 'HEAD'] });
    expect(head.trim()).toBe(await control().head('shop'));
  },
);

test('archived, sha256, unusual branch, pending deletion: all of them can be cloned', async () => {
  const { token } = control().createToken({});
  for (const path of [
    'acme/legacy',
    'acme/modern',
    'acme/Unicode.proj_1-x',
    'acme/old-deletion_scheduled-23',
  ]) {
    const folder = await clone(path, token);
    const count = await git({
      home: started.home,
      args: ['--git-dir', folder, 'rev-list', '--count', 'HEAD'],
    });
    expect([path, count.trim()]).toEqual([path, '1']);
  }
});

test('a blobless clone and a fetch of one commit by its hash work, as with Gitaly', async () => {
  const { token } = control().createToken({});
  const folder = await clone('acme/shop', token, ['--filter=blob:none']);
  const first = (
    await git({ home: started.home, args: ['--git-dir', folder, 'rev-list', '--max-parents=0', 'HEAD'] })
  ).trim();
  const other = join(started.home, 'by-hash.git');
  await git({ home: started.home, args: ['init', '--quiet', '--bare', other] });
  await git({
    home: started.home,
    args: ['--git-dir', other, 'fetch', '--depth=1', address('acme/shop', token), first],
  });
  const fetched = await git({ home: started.home, args: ['--git-dir', other, 'rev-parse', 'FETCH_HEAD'] });
  expect(fetched.trim()).toBe(first);
});

test('an empty repository clones with a warning, and asking for its branch fails', async () => {
  const { token } = control().createToken({});
  await clone('acme/fresh', token);
  expect(await failedClone('acme/fresh', token, ['--branch', 'main'])).toMatchObject({ code: 128 });
});

test.each<[string, string, () => string]>([
  ['bad_token_in_url', 'acme/shop', () => 'wrong'],
  ['scope_without_code', 'acme/shop', () => control().createToken({ scopes: ['self_rotate'] }).token],
  ['role_without_code_or_repository_off', 'acme/hidden-code', () => control().createToken({}).token],
  ['role_without_code_or_repository_off', 'acme/wiki-only', () => control().createToken({}).token],
  [
    'not_visible_human',
    'acme/nothing',
    () => control().createToken({ userId: control().createUser({ kind: 'human' }).id }).token,
  ],
  ['not_visible_bot', 'acme/nothing', () => control().createToken({}).token],
  ['no_repository', 'acme/issues-only', () => control().createToken({}).token],
])('%s on %s: git prints the same as with GitLab', async (id, path, token) => {
  expect(await failedClone(path, token())).toEqual(wantedCase(id, path));
});

test('expired and revoked tokens are denied like wrong ones', async () => {
  const expired = control().createToken({ expiresAt: '2026-11-24' });
  const revoked = control().createToken({});
  control().revokeToken(revoked.id);
  for (const { token } of [expired, revoked]) {
    expect(await failedClone('acme/shop', token)).toEqual(wantedCase('bad_token_in_url', 'acme/shop'));
  }
});

test('restrictions of the group and the instance have their own texts', async () => {
  const person = control().createToken({ userId: control().createUser({ kind: 'human' }).id }).token;
  control().restrict('payments', { ssoEnforced: true });
  expect((await failedClone('acme/payments', person)).stderr).toContain('Cannot find valid SSO session.');
  control().restrict('payments', { ssoEnforced: false, granularEnforced: true });
  expect(await failedClone('acme/payments', person)).toEqual(
    wantedCase('granular_enforced', 'acme/payments'),
  );
  await clone('acme/payments', control().createToken({}).token);
  control().restrict('payments', { granularEnforced: false, ipRestricted: true });
  expect(await failedClone('acme/payments', person)).toEqual(wantedCase('ip_allowlist', 'acme/payments'));
  control().restrict('payments', { ipRestricted: false });
  control().setInstance({ gitOverHttp: false });
  expect(await failedClone('acme/payments', person)).toEqual(wantedCase('http_disabled', 'acme/payments'));
  control().setInstance({ gitOverHttp: true });
});

test('too many wrong credentials ban the address from git, not from the API, until the ban is over', async () => {
  const { token } = control().createToken({});
  for (let failure = 0; failure < 4; failure += 1) await failedClone('acme/shop', 'wrong');
  expect(await failedClone('acme/shop', token)).toEqual(wantedCase('ip_banned', 'acme/shop'));
  const self = await fetch(`${started.simulator.url}/api/v4/personal_access_tokens/self`, {
    headers: { 'PRIVATE-TOKEN': token },
  });
  expect(self.status).toBe(200);
  control().setClock(15 * 60_000 + 1);
  await clone('acme/shop', token);
  control().setClock(0);
});

test('a success in between resets the count of failures', async () => {
  const { token } = control().createToken({});
  for (let failure = 0; failure < 3; failure += 1) await failedClone('acme/shop', 'wrong');
  await clone('acme/shop', token);
  await failedClone('acme/shop', 'wrong');
  await clone('acme/shop', token);
});

test('the old path of a renamed project is served until another project takes it', async () => {
  const { token } = control().createToken({});
  const { id } = control().project('to-be-renamed');
  control().renameProject(id, 'acme/renamed');
  const head = (path: string) =>
    git({ home: started.home, args: ['ls-remote', address(path, token), 'HEAD'] });
  const before = await head('acme/old-name');
  expect(before).toBe(await head('acme/renamed'));
  await control().addProject({
    name: 'squatter',
    about: 'takes a freed path',
    path: 'acme/old-name',
    commits: () => [{ message: 'Mine', files: { 'README.md': 'mine\n' } }],
    expect: { listed: true, findings: [] },
  });
  expect(await head('acme/old-name')).not.toBe(before);
});

test('the next clone contains a pushed commit, and the last activity changes', async () => {
  const { token } = control().createToken({});
  const before = control().project('library').lastActivityAt;
  const { commit } = await control().pushCommit({
    project: 'library',
    files: { 'new.txt': 'new\n', LICENSE: null },
    message: 'Change',
  });
  const folder = await clone('acme/library', token);
  const names = await git({
    home: started.home,
    args: ['--git-dir', folder, 'ls-tree', '--name-only', '-r', commit],
  });
  expect(names.trim().split('\n')).toEqual(['README.md', 'new.txt', 'src/sum.js']);
  expect(control().project('library').lastActivityAt.getTime()).toBeGreaterThan(before.getTime());
  const parent = await git({
    home: started.home,
    args: ['ls-remote', address('acme/fork-of-shop', token), 'HEAD'],
  });
  expect(parent).toContain(await control().head('fork'));
});

test('a push to an empty repository creates its first commit', async () => {
  const { token } = control().createToken({});
  const { commit } = await control().pushCommit({ project: 'empty', files: { 'a.txt': 'a\n' } });
  const refs = await git({
    home: started.home,
    args: ['ls-remote', '--symref', address('acme/fresh', token), 'HEAD'],
  });
  expect(refs).toBe(`ref: refs/heads/main\tHEAD\n${commit}\tHEAD\n`);
});

test('a public project is cloned without credentials, and pushes are refused', async () => {
  const { url } = started.simulator;
  const { token } = control().createToken({ scopes: ['api'] });
  await git({ home: started.home, args: ['ls-remote', `${url}/acme/library.git`] });
  const folder = await clone('acme/library', token);
  await expect(
    git({
      home: started.home,
      args: ['--git-dir', folder, 'push', address('acme/library', token), 'HEAD:refs/heads/x'],
    }),
  ).rejects.toThrow('403');
});
