import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { CHECK_NAMES } from '../../src/domain/dry-run-causes.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let api: TestApi;

beforeAll(async () => {
  world = await createTestWorld();
  api = await startApi(world);
});
afterAll(async () => {
  await world.close();
});
beforeEach(() => {
  world.simulator.control.faults.clear();
});

const connect = (token: string) => ({ provider: 'gitlab', type: 'git', token, baseUrl: world.simulator.url });

function newToken(): string {
  const { id: userId } = world.simulator.control.createUser({ kind: 'service_account' });
  return world.simulator.control.createToken({ userId }).token;
}

test('a token test reports each check and stores nothing', async () => {
  const rows = () =>
    world.db.query(
      `select 1 from integration union all select 1 from credential union all select 1 from event`,
    );
  const before = await rows();
  const token = newToken();
  const { status, body, text } = await api.call('POST integrations/test', {
    as: 'operator',
    json: connect(token),
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({ ok: true, verdict: 'usable', cause: null, advice: null });
  expect(body.checks.map((check: { name: string }) => check.name)).toEqual([...CHECK_NAMES]);
  expect(body.reach.projects).toBeGreaterThan(3);
  expect(body.token).toMatchObject({
    scopes: ['read_api', 'read_repository'],
    owner: { kind: 'service_account' },
    expiry: { state: 'ok', daysLeft: 69 },
    canRotate: false,
    warnings: [],
  });
  expect(text).not.toContain(token);
  expect(await rows()).toEqual(before);
  expect(world.logged.join('')).not.toContain(token);
});

test('an invalid token or a forbidden address is reported with cause and advice', async () => {
  const refused = await api.call('POST integrations/test', { json: connect('x'.repeat(26)) });
  expect(refused.body).toMatchObject({
    ok: false,
    verdict: 'unusable',
    cause: 'token_rejected',
    token: null,
  });
  expect(refused.body.advice).toContain('Copy all of it again');
  const elsewhere = { ...connect(newToken()), baseUrl: 'https://gitlab.example.com' };
  const foreign = await api.call('POST integrations/test', { json: elsewhere });
  expect(foreign.status).toBe(200);
  expect(foreign.body).toMatchObject({ ok: false, verdict: 'unusable', cause: 'origin_not_allowed' });
});

test('an unavailable GitLab gives no verdict', async () => {
  world.simulator.control.faults.add({ match: { path: /version/ }, answer: { kind: 'html', status: 502 } });
  const { body } = await api.call('POST integrations/test', { json: connect(newToken()) });
  expect(body).toMatchObject({ ok: false, verdict: 'unknown', cause: 'gitlab_unreachable' });
});

test('the body is validated like a new integration', async () => {
  const { status, body } = await api.call('POST integrations/test', { json: connect('Bearer abc') });
  expect([status, body.code]).toEqual([400, 'invalid_request']);
  expect((await api.call('POST integrations/test', { as: 'viewer', json: connect('x') })).status).toBe(403);
});

test("the token link opens GitLab's form with two scopes, and self_rotate only with renew=true", async () => {
  const plain = await api.call('GET integrations/token-link?baseUrl=https://git.example.com/gitlab/');
  expect(plain.body.scopes).toEqual(['read_api', 'read_repository']);
  const url = new URL(plain.body.url);
  expect(url.origin + url.pathname).toBe(
    'https://git.example.com/gitlab/-/user_settings/personal_access_tokens',
  );
  expect(url.searchParams.get('scopes')).toBe('read_api,read_repository');
  const renewing = await api.call('GET integrations/token-link?renew=true', { as: 'viewer' });
  expect(renewing.body.scopes).toEqual(['read_api', 'read_repository', 'self_rotate']);
  expect(renewing.body.url).toContain(world.simulator.url);
  expect((await api.call('GET integrations/token-link?renew=perhaps')).status).toBe(400);
});
