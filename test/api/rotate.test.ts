import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import { dateInDays } from '../../src/domain/rotation.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const ROTATE = 'POST /api/v4/personal_access_tokens/self/rotate';
const PATH = '/api/v4/personal_access_tokens/self/rotate';
const SCOPES = ['read_api', 'read_repository', 'self_rotate'];
const inDays = (days: number) => dateInDays(Date.now(), days);
let world: TestWorld;
let api: TestApi;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(1) } });
  api = await startApi(world);
  await startWorkers(world);
});
afterAll(async () => {
  await world.close();
});
beforeEach(() => {
  world.simulator.control.faults.clear();
  world.simulator.control.requests.reset();
});

async function connect(
  options: { scopes?: string[]; expiresAt?: string; extra?: object } = {},
): Promise<{ id: string; tokenId: number; token: string }> {
  const { scopes = SCOPES, expiresAt = inDays(90), extra = {} } = options;
  const created = world.simulator.control.createToken({ scopes, expiresAt });
  const answer = await api.call('POST integrations', {
    json: { provider: 'gitlab', type: 'git', token: created.token, ...extra },
  });
  expect([answer.status, answer.body.status]).toEqual([201, 'active']);
  return { id: answer.body.id, tokenId: created.id, token: created.token };
}

const rotate = (id: string, json: object = {}, as: 'operator' | 'admin' = 'admin') =>
  api.call(`POST integrations/${id}/rotate`, { json, as });
const read = async (id: string) => (await api.call(`GET integrations/${id}`)).body;
const patch = (id: string, json: object) => api.call(`PATCH integrations/${id}`, { json });
const countRotationRequests = () => world.simulator.control.requests.count(ROTATE);

test('an administrator rotates: 200, and a working token with the same lifetime', async () => {
  const { id, tokenId } = await connect();
  expect((await read(id)).token).toMatchObject({ canRotate: true, rotateBlockedBy: null });
  expect((await rotate(id, {}, 'operator')).status).toBe(403);
  const answer = await rotate(id);
  expect(answer.status).toBe(200);
  expect(answer.body.token).toMatchObject({ expiresAt: inDays(90), canRotate: true });
  expect(answer.body.token.gitlabTokenId).not.toBe(tokenId);
  expect((await api.call(`POST integrations/${id}/verify`)).body.status).toBe('active');
  const events = await api.call(`GET integrations/${id}/events?kind=integration.rotated`);
  expect(events.body.items).toHaveLength(1);
  expect(countRotationRequests()).toBe(1);
});

test('two concurrent requests rotate once, and both succeed', async () => {
  const { id } = await connect();
  world.simulator.control.faults.add({ match: { path: PATH }, answer: { kind: 'slow', delayMs: 500 } });
  const answers = await Promise.all([rotate(id), rotate(id), rotate(id)]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(countRotationRequests()).toBe(1);
});

test('a wrong date is 400; a blocked rotation is 409 with the reason and without a GitLab request', async () => {
  const { id } = await connect();
  for (const expiresAt of [inDays(0), inDays(366), 'soon'])
    expect((await rotate(id, { expiresAt })).status).toBe(400);
  const withoutRotation = await connect({ scopes: ['read_api', 'read_repository'] });
  const refused = await rotate(withoutRotation.id);
  expect(refused.body).toMatchObject({
    status: 409,
    code: 'rotation_not_possible',
    blockedBy: 'token_scope_missing',
    detail: expect.stringContaining('self_rotate'),
  });
  expect((await read(withoutRotation.id)).token).toMatchObject({
    canRotate: false,
    rotateBlockedBy: 'token_scope_missing',
  });
  expect((await rotate('int_01JG0000000000000000000000')).status).toBe(404);
  expect(countRotationRequests()).toBe(0);
});

test('in the last 48 hours a rotation requires force', async () => {
  const { id } = await connect({ expiresAt: inDays(2) });
  expect((await rotate(id)).body).toMatchObject({ blockedBy: 'expires_within_48_hours' });
  const forced = await rotate(id, { force: true, expiresAt: inDays(30) });
  expect([forced.status, forced.body.token.expiresAt]).toEqual([200, inDays(30)]);
});

test('GitLab in maintenance is 409, an unreachable GitLab 503; the token stays', async () => {
  const { id, tokenId } = await connect();
  world.simulator.control.setInstance({ maintenanceMode: true });
  const refused = await rotate(id);
  world.simulator.control.setInstance({ maintenanceMode: false });
  expect(refused.body).toMatchObject({ status: 409, blockedBy: 'gitlab_maintenance' });
  await world.simulator.control.down();
  const unreachable = await rotate(id);
  await world.simulator.control.up();
  expect([unreachable.status, unreachable.body.code]).toEqual([503, 'gitlab_unreachable']);
  expect((await read(id)).token.gitlabTokenId).toBe(tokenId);
});

test('a lost answer is 409 rotation_lost, and the integration has advice', async () => {
  const { id, token } = await connect();
  world.simulator.control.faults.add({ match: { path: PATH }, answer: { kind: 'lost_reply' } });
  const answer = await rotate(id);
  expect([answer.status, answer.body.code]).toEqual([409, 'rotation_lost']);
  const observed = await read(id);
  expect(observed).toMatchObject({ status: 'invalid', cause: 'rotation_lost' });
  for (const part of ['"Secu"', inDays(90), '/-/user_settings/personal_access_tokens', 'Nothing was exposed'])
    expect(observed.advice).toContain(part);
  expect(observed.token).toMatchObject({ canRotate: false, rotateBlockedBy: 'rotation_lost' });
  expect((await rotate(id)).body).toMatchObject({ status: 409, blockedBy: 'rotation_lost' });
  expect(countRotationRequests()).toBe(1);
  const next = world.simulator.control.createToken({ scopes: SCOPES });
  const replaced = await api.call(`PUT integrations/${id}/token`, {
    json: { token: next.token, acceptLoss: true },
  });
  expect([replaced.status, replaced.body.status, replaced.body.cause]).toEqual([200, 'active', null]);
  expect(api.answers.join('\n')).not.toContain(token);
});

test('autoRotate requires a token that can rotate, and days within half of its lifetime', async () => {
  const { id } = await connect({ expiresAt: inDays(60) });
  const tooEarly = await patch(id, { autoRotate: { enabled: true, daysBefore: 30 } });
  expect([tooEarly.status, tooEarly.body.code]).toEqual([400, 'invalid_request']);
  const accepted = await patch(id, { autoRotate: { enabled: true, daysBefore: 14 } });
  expect(accepted.body.autoRotate).toEqual({ enabled: true, daysBefore: 14 });

  const created = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  const json = {
    provider: 'gitlab',
    type: 'git',
    token: created.token,
    autoRotate: { enabled: true, daysBefore: 14 },
  };
  expect((await api.call('POST integrations', { json, as: 'operator' })).status).toBe(403);
  const refused = await api.call('POST integrations', { json });
  expect([refused.status, refused.body.code]).toEqual([422, 'rotation_not_possible']);
  expect((await api.call('GET integrations?limit=200')).text).not.toContain(`"gitlabTokenId":${created.id},`);
  const good = await connect({ extra: { autoRotate: { enabled: true, daysBefore: 14 } } });
  expect((await read(good.id)).autoRotate.enabled).toBe(true);
});

test('autoRotate rotates the token when it is due', async () => {
  const { id, tokenId } = await connect({ expiresAt: inDays(60) });
  await patch(id, { autoRotate: { enabled: true, daysBefore: 14 } });
  expect(countRotationRequests()).toBe(0);
  world.simulator.control.setTokenExpiry(tokenId, inDays(9));
  await world.db.query(
    `update credential set token_created_at = now() - interval '300 days' where integration_id = $1`,
    [id],
  );
  await world.db.query(
    `update credential set expires_on = $2 where integration_id = $1 and state = 'current'`,
    [id, inDays(9)],
  );
  await world.starters.wakeIntegration(id);
  const observed = await awaitUntil(async () => {
    const now = await read(id);
    return now.token.gitlabTokenId === tokenId ? null : now;
  });
  expect(countRotationRequests()).toBe(1);
  expect(observed.token.expiry.daysLeft).toBeGreaterThan(8);
});

// must be the last test: Secu rotates nothing else at this GitLab for three minutes
test('an unknown outcome is 202, and a second request 409 until it is known', async () => {
  const { id } = await connect();
  world.simulator.control.faults.add({ match: { path: PATH }, answer: { kind: 'html', status: 502 } });
  const answer = await rotate(id);
  expect(answer.status).toBe(202);
  expect((await rotate(id)).body).toMatchObject({ status: 409, blockedBy: 'rotation_in_doubt' });
  expect(countRotationRequests()).toBe(1);
});
