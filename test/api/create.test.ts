import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import type { CallOptions, TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let api: TestApi;
const tokens: string[] = [];

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(2) } });
  api = await startApi(world);
  await startWorkers(world);
});

afterAll(async () => {
  const answers = api.answers.join('\n');
  const logs = world.logged.join('\n');
  await world.close();
  expect(tokens.length).toBeGreaterThan(8);
  for (const token of tokens) {
    expect(answers).not.toContain(token);
    expect(logs).not.toContain(token);
  }
});

function newToken(scopes = ['read_api', 'read_repository'], own: { expiresAt?: string } = {}) {
  const created = world.simulator.control.createToken({ scopes, ...own });
  tokens.push(created.token);
  return created;
}

const body = (token: string, change: object = {}) => ({ provider: 'gitlab', type: 'git', token, ...change });

const create = (json: unknown, options: CallOptions = {}) =>
  api.call('POST integrations', { as: 'operator', json, ...options });

const read = async (id: string) => (await api.call(`GET integrations/${id}`, { as: 'viewer' })).body;

/** Created while GitLab was unreachable; the last test checks that it becomes active. */
let pendingId: string;

test('with GitLab unreachable the integration is stored as pending, with advice', async () => {
  await world.simulator.control.down();
  const answer = await create(body(newToken().token, { name: 'pending' }));
  await world.simulator.control.up();
  expect(answer.status).toBe(201);
  expect(answer.body).toMatchObject({
    status: 'pending',
    cause: null,
    token: null,
    reachability: { state: 'unreachable', cause: 'gitlab_unreachable' },
  });
  expect(answer.body.advice).toMatch(/.{20,}/);
  pendingId = answer.body.id;
});

test('a valid token is active in the answer, with its details from GitLab', async () => {
  const { token, id, expiresAt } = newToken();
  const answer = await create(body(token, { name: ' Production ' }));
  expect(answer.status).toBe(201);
  expect(answer.headers.get('Location')).toBe(`/api/v1/integrations/${answer.body.id}`);
  expect(answer.body).toMatchObject({
    id: expect.stringMatching(/^int_[0-9A-Z]{26}$/),
    provider: 'gitlab',
    type: 'git',
    name: 'Production',
    baseUrl: world.simulator.url,
    status: 'active',
    cause: null,
    advice: null,
    reachability: { state: 'reachable', cause: null },
    token: {
      gitlabTokenId: id,
      scopes: ['read_api', 'read_repository'],
      granular: false,
      owner: { kind: 'service_account' },
      expiresAt,
      expiry: { state: expect.any(String), flag: null },
      canRotate: false,
      warnings: [],
    },
    filters: { include: [], exclude: [], archived: false, forks: true, personal: true },
    autoRotate: { enabled: false, daysBefore: 14 },
    lastVerifiedAt: expect.stringMatching(/Z$/),
  });
  expect((await api.call(`GET ${answer.headers.get('Location')}`)).body).toMatchObject({ status: 'active' });
});

test('readable repositories are listed and scanned without further requests', async () => {
  const { body: integration } = await create(body(newToken().token));
  const done = await awaitUntil(async () => {
    const observed = await read(integration.id);
    return observed.counts.scanned === 2 && observed.scans.queued + observed.scans.running === 0
      ? observed
      : null;
  });
  expect(done.sync).toMatchObject({ state: 'idle', listed: 2, complete: true, cause: null });
  expect(done.counts).toMatchObject({ repositories: 2, excluded: 0, missing: 0, neverScanned: 0 });
});

test('a revoked token is stored as invalid, with cause and advice', async () => {
  const { token, id } = newToken();
  world.simulator.control.revokeToken(id);
  const answer = await create(body(token));
  expect(answer.status).toBe(201);
  expect(answer.body).toMatchObject({ status: 'invalid', cause: 'token_revoked', token: null });
  expect(answer.body.advice).toMatch(/.{20,}/);
});

test.each([
  ['token_scope_missing', ['read_repository']],
  ['token_scope_missing', ['read_user']],
])('a token without what is needed is invalid: %s of %j', async (cause, scopes) => {
  const { body: created } = await create(body(newToken(scopes).token));
  expect(created).toMatchObject({ status: 'invalid', cause });
});

test('a token of the wrong kind is invalid with its own cause', async () => {
  const token = ['gl', 'dt-', 'x'.repeat(20)].join('');
  tokens.push(token);
  expect((await create(body(token))).body).toMatchObject({ status: 'invalid', cause: 'token_wrong_kind' });
});

test('a token that GitLab does not know is rejected', async () => {
  const token = ['gl', 'pat-', 'x'.repeat(20)].join('');
  tokens.push(token);
  expect((await create(body(token))).body).toMatchObject({ status: 'invalid', cause: 'token_rejected' });
});

test('the default name is the host, with a number when it is taken', async () => {
  const { host } = new URL(world.simulator.url);
  const names: string[] = [];
  for (let index = 0; index < 2; index += 1) names.push((await create(body(newToken().token))).body.name);
  expect(names.every((name) => name === host || name.startsWith(`${host} `))).toBe(true);
  expect(new Set(names).size).toBe(2);
});

test('concurrent creations get different names', async () => {
  const answers = await Promise.all(Array.from({ length: 4 }, () => create(body(newToken().token))));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  expect(new Set(answers.map((answer) => answer.body.name)).size).toBe(4);
});

test('names are compared case-insensitively', async () => {
  await create(body(newToken().token, { name: 'Taken' }));
  const answer = await create(body(newToken().token, { name: 'TAKEN' }));
  expect([answer.status, answer.body.code]).toEqual([409, 'name_taken']);
});

test('a token can be integrated once: the second request gets the id of the first, also concurrently', async () => {
  const { token } = newToken();
  const first = await create(body(token, { name: 'first of it' }));
  const second = await create(body(` ${token}\n`));
  expect([second.status, second.body.code]).toEqual([409, 'token_in_use']);
  expect(second.body.integrationId).toBe(first.body.id);
  const other = newToken().token;
  const both = await Promise.all([create(body(other)), create(body(other))]);
  expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409]);
});

test('a forbidden origin is refused; administrators see the settings that would allow it', async () => {
  const json = body(newToken().token, { baseUrl: 'https://gitlab.elsewhere.example/' });
  const admin = await create(json, { as: 'admin' });
  expect([admin.status, admin.body.code]).toEqual([422, 'origin_not_allowed']);
  expect(admin.body.settings).toEqual(['SECU_GITLAB_ORIGINS=https://gitlab.elsewhere.example']);
  expect(admin.body.detail).toContain('SECU_GITLAB_ORIGINS');
  const operator = await create(json);
  expect(operator.status).toBe(422);
  expect(operator.text).not.toContain('SECU_');
});

test('a trailing slash and /api/v4 are removed from the base URL', async () => {
  const baseUrl = `${world.simulator.url}/api/v4/`;
  expect((await create(body(newToken().token, { baseUrl }))).body.baseUrl).toBe(world.simulator.url);
});

test.each([
  ['user info', { baseUrl: 'https://user:pass@gitlab.com' }],
  ['a query', { baseUrl: 'https://gitlab.com?x=1' }],
  ['a fragment', { baseUrl: 'https://gitlab.com#x' }],
  ['another scheme', { baseUrl: 'ftp://gitlab.com' }],
  ['no URL', { baseUrl: 'gitlab' }],
  ['too many globs', { filters: { include: Array.from({ length: 101 }, () => '*') } }],
  ['an unknown filter', { filters: { topics: [] } }],
  ['an empty name', { name: ' ' }],
  ['a long name', { name: 'x'.repeat(101) }],
  ['an unknown field', { interval: '1h' }],
  ['another type', { type: 'svn' }],
])('%s is 400', async (_what, change) => {
  const answer = await create(body(newToken().token, change));
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
});

test.each([
  ['inner space', (token: string) => `${token.slice(0, 9)} ${token.slice(9)}`],
  ['Bearer', (token: string) => `Bearer ${token}`],
  ['a control character', (token: string) => `${token}\u0007x`],
  ['401 characters', () => 'x'.repeat(401)],
  ['nothing', () => ' '],
])('a token with %s is 400 and not shown again', async (_what, spoil) => {
  const answer = await create(body(spoil(newToken().token)));
  expect(answer.status).toBe(400);
  expect(new Set(answer.body.errors.map(({ path }: { path: string }) => path))).toEqual(new Set(['token']));
});

test('a pending integration becomes active when GitLab is back', async () => {
  const back = await awaitUntil(
    async () => {
      const observed = await read(pendingId);
      return observed.status === 'active' ? observed : null;
    },
    { timeoutMs: 25_000 }, // Secu verifies again 15 s after the creation
  );
  expect(back).toMatchObject({
    cause: null,
    advice: null,
    reachability: { state: 'reachable', cause: null },
  });
});
