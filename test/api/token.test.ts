import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const REPOSITORIES = 3;

let world: TestWorld;
let api: TestApi;
let id: string;
let old: { token: string; tokenId: number };
const tokens: string[] = [];

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(REPOSITORIES) } });
  api = await startApi(world);
  // nothing is cloned here: only what listing and verification do is asked for
  await startWorkers(world, { queues: ['orchestration', 'gitlab'] });
});

afterAll(async () => {
  const everything = api.answers.join('\n');
  const logs = world.logged.join('\n');
  await world.close();
  for (const token of tokens) {
    expect(everything).not.toContain(token);
    expect(logs).not.toContain(token);
  }
});

function newToken(options: { scopes?: string[]; userId?: number } = {}) {
  const created = world.simulator.control.createToken({
    scopes: ['read_api', 'read_repository'],
    ...options,
  });
  tokens.push(created.token);
  return { token: created.token, tokenId: created.id };
}

beforeEach(async () => {
  old = newToken();
  const json = { provider: 'gitlab', type: 'git', token: old.token };
  id = (await api.call('POST integrations', { json })).body.id;
  await awaitUntil(async () => (await read()).counts.repositories === REPOSITORIES);
});

const read = async () => (await api.call(`GET integrations/${id}`)).body;

const replace = (token: string, change: object = {}) =>
  api.call(`PUT integrations/${id}/token`, { as: 'operator', json: { token, ...change } });

/** Credentials that could still be opened. */
const live = () =>
  world.db.query<{ version: number; state: string }>(
    `select version, state from credential
     where integration_id = $1 and (sealed is not null or key_id is not null or token_hash is not null) order by version`,
    [id],
  );

const kinds = async () =>
  (await api.call(`GET integrations/${id}/events?limit=200`)).body.items.map(
    ({ kind }: { kind: string }) => kind,
  );

test('a valid token replaces the old one, whose ciphertext is wiped', async () => {
  await world.db.query(`update credential set flag = 7, flagged_at = now() where integration_id = $1`, [id]);
  const next = newToken();
  const answer = await replace(next.token);
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    status: 'active',
    token: { gitlabTokenId: next.tokenId, expiry: { flag: null, flaggedAt: null } },
  });
  expect(answer.body.token.warnings).toContain('owner_changed');
  expect(await live()).toEqual([{ version: 2, state: 'current' }]);
  expect(await kinds()).toContain('integration.token_replaced');
  world.simulator.control.revokeToken(old.tokenId);
  const verified = await api.call(`POST integrations/${id}/verify`);
  expect(verified.body.status).toBe('active');
});

test('an invalid token is refused with its cause and wiped, and the current one stays', async () => {
  const bad = newToken();
  world.simulator.control.revokeToken(bad.tokenId);
  const answer = await replace(bad.token);
  expect([answer.status, answer.body.code]).toEqual([422, 'token_revoked']);
  expect(answer.body.detail).toContain('the current one stays in use');
  expect(await live()).toEqual([{ version: 1, state: 'current' }]);
  expect(await read()).toMatchObject({ status: 'active', token: { gitlabTokenId: old.tokenId } });
  expect(await kinds()).toContain('integration.token_refused');
});

test('a token that may not list is refused, and accepted once it may', async () => {
  const next = newToken({ scopes: ['read_repository'] });
  expect((await replace(next.token)).body.code).toBe('token_scope_missing');
  world.simulator.control.setTokenScopes(next.tokenId, ['read_api', 'read_repository']);
  expect((await replace(next.token)).status).toBe(200);
});

test('the current token is refused as already integrated, and nothing changes', async () => {
  const answer = await replace(old.token);
  expect([answer.status, answer.body.code, answer.body.integrationId]).toEqual([409, 'token_in_use', id]);
  expect(await live()).toEqual([{ version: 1, state: 'current' }]);
});

test('a token of another integration is refused', async () => {
  const { token } = newToken();
  const other = await api.call('POST integrations', { json: { provider: 'gitlab', type: 'git', token } });
  const answer = await replace(token);
  expect([answer.status, answer.body.code, answer.body.integrationId]).toEqual([
    409,
    'token_in_use',
    other.body.id,
  ]);
});

test('with GitLab unreachable the current token stays, and the answer is a 503 with Retry-After', async () => {
  const { token } = newToken();
  await world.simulator.control.down();
  const answer = await replace(token);
  await world.simulator.control.up();
  expect([answer.status, answer.body.code]).toEqual([503, 'gitlab_unreachable']);
  expect(answer.headers.get('Retry-After')).not.toBeNull();
  expect(await live()).toEqual([{ version: 1, state: 'current' }]);
  expect((await replace(token)).status).toBe(200);
});

test('a token that reaches fewer repositories requires acceptLoss', async () => {
  const user = world.simulator.control.createUser({ member: false });
  const project = 'fleet-00000';
  world.simulator.control.setRole({ project, userId: user.id, level: 20, via: 'project' });
  const { token, tokenId } = newToken({ userId: user.id });
  const refused = await replace(token);
  expect(refused.body).toMatchObject({
    status: 409,
    code: 'reach_shrinks',
    known: REPOSITORIES,
    lost: REPOSITORIES - 1,
  });
  expect(await live()).toEqual([{ version: 1, state: 'current' }]);
  const taken = await replace(token, { acceptLoss: true });
  expect(taken.status).toBe(200);
  expect(taken.body.token).toMatchObject({ gitlabTokenId: tokenId });
  expect(taken.body.token.warnings).toContain('reach_reduced');
  await awaitUntil(async () => (await read()).counts.repositories === 1);
});

test('a valid token makes an invalid integration active again', async () => {
  world.simulator.control.revokeToken(old.tokenId);
  await api.call(`POST integrations/${id}/verify`);
  await awaitUntil(async () => (await read()).status === 'invalid');
  expect((await replace(newToken().token)).body).toMatchObject({
    status: 'active',
    cause: null,
    advice: null,
  });
});

test('two concurrent replacements leave one token', async () => {
  const answers = await Promise.all([replace(newToken().token), replace(newToken().token)]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(await live()).toHaveLength(1);
});

test('the same new token sent twice concurrently is accepted once', async () => {
  const { token, tokenId } = newToken();
  const answers = await Promise.all([replace(token), replace(token)]);
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 409]);
  expect(await live()).toEqual([{ version: 2, state: 'current' }]);
  expect((await read()).token.gitlabTokenId).toBe(tokenId);
});

test('a missing or malformed token or an unknown field is 400', async () => {
  for (const json of [{}, { token: '' }, { token: 'a b' }, { token: 'x', force: true }]) {
    expect((await api.call(`PUT integrations/${id}/token`, { json })).status).toBe(400);
  }
});
