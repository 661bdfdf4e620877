import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import { sync } from './listing-support.ts';
import type { Active, Activities } from './support.ts';
import { active, activitiesOf, addReplacement, eventsOf, kindsOf, rowOf, run } from './support.ts';

const SCOPES = ['read_api', 'read_repository'];
let world: TestWorld;
let activities: Activities;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(5) } });
});
afterAll(async () => {
  await world.close();
});
beforeEach(async () => {
  world.simulator.control.faults.clear();
  activities = await activitiesOf(world);
});

async function listed(): Promise<Active> {
  const added = await active(world, activities);
  await sync(activities, added.integrationId);
  return added;
}

async function replace(
  { integrationId }: Active,
  token: string,
  options: { acceptLoss?: boolean } = {},
): Promise<{ code: string; credentialId: string; commandId: string; result: unknown }> {
  const added = await addReplacement(world, { integrationId, token, ...options });
  const { code } = await run(activities, 'replaceToken', {
    integrationId,
    commandId: added.commandId,
    nowMs: Date.now(),
  });
  const { result } = await rowOf(world, 'command', added.commandId);
  return { ...added, code, result };
}

const WIPED = { state: 'wiped', sealed: null, key_id: null, token_hash: null };

test('a good token replaces the old one, wipes its ciphertext, and resets the expiry flags', async () => {
  const added = await listed();
  await run(activities, 'flagExpiry', {
    integrationId: added.integrationId,
    thresholdDays: 60,
    nowMs: Date.now(),
  });
  const next = world.simulator.control.createToken({
    scopes: SCOPES,
    userId: added.userId,
    expiresAt: '2027-05-01',
  });
  const replaced = await replace(added, next.token);
  expect(replaced).toMatchObject({ code: 'ok', result: { code: 'ok' } });
  expect(await rowOf(world, 'credential', added.credentialId)).toMatchObject(WIPED);
  expect(await rowOf(world, 'credential', replaced.credentialId)).toMatchObject({
    state: 'current',
    gitlab_token_id: String(next.id),
    expires_on: '2027-05-01',
    flag: null,
  });
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    verdict: 'active',
    cause: null,
    warnings: [],
  });
  expect((await kindsOf(world, added.integrationId)).at(-1)).toBe('integration.token_replaced');
  expect(await world.database.stores.syncs.findOpen(added.integrationId)).toMatchObject({ state: 'queued' });
  expect(activities.starters.wakes).toContain(`fleet ${added.integrationId}`);
});

test('a good token makes an invalid integration active again', async () => {
  const added = await listed();
  world.simulator.control.blockUser(added.userId);
  await run(activities, 'verifyToken', {
    integrationId: added.integrationId,
    commandId: null,
    nowMs: Date.now(),
  });
  const next = world.simulator.control.createToken({ scopes: SCOPES });
  expect((await replace(added, next.token)).code).toBe('ok');
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    verdict: 'active',
    cause: null,
    suspected_at: null,
    warnings: ['owner_changed'],
  });
});

test.each([
  ['token_revoked', (id: number) => world.simulator.control.revokeToken(id)],
  ['token_expired', (id: number) => world.simulator.control.setTokenExpiry(id, '2020-01-01')],
  ['token_scope_missing', (id: number) => world.simulator.control.setTokenScopes(id, ['read_repository'])],
])('%s refuses and wipes the new token, and the old one stays', async (cause, spoil) => {
  const added = await listed();
  const next = world.simulator.control.createToken({ scopes: SCOPES });
  spoil(next.id);
  const replaced = await replace(added, next.token);
  expect(replaced).toMatchObject({ code: cause, result: { code: cause } });
  expect(await rowOf(world, 'credential', replaced.credentialId)).toMatchObject(WIPED);
  expect(await rowOf(world, 'credential', added.credentialId)).toMatchObject({ state: 'current' });
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({ verdict: 'active' });
  expect((await eventsOf(world, added.integrationId)).at(-1)).toMatchObject({
    kind: 'integration.token_refused',
    data: { cause },
  });
});

test('an outage of GitLab before or during the replacement keeps the old token', async () => {
  const added = await listed();
  const next = world.simulator.control.createToken({ scopes: SCOPES });
  await world.simulator.control.down();
  expect((await replace(added, next.token)).code).toBe('gitlab_unreachable');
  await world.simulator.control.up();

  world.simulator.control.faults.add({
    // the first page proves that the token can list
    match: { path: /^\/api\/v4\/projects\?/, nth: 2, times: 1_000 },
    answer: { kind: 'truncated_json' },
  });
  expect((await replace(added, next.token)).code).toBe('gitlab_reply_unreadable');
  expect(await rowOf(world, 'credential', added.credentialId)).toMatchObject({ state: 'current' });
});

test('a token with less reach is refused with counts, and accepted if the user accepts the loss', async () => {
  const added = await listed();
  const user = world.simulator.control.createUser();
  world.simulator.control.setRole({ project: 'fleet-00000', userId: user.id, level: 0, via: 'project' });
  const next = world.simulator.control.createToken({ scopes: SCOPES, userId: user.id });
  const refused = await replace(added, next.token);
  expect(refused).toMatchObject({
    code: 'reach_shrinks',
    result: {
      code: 'reach_shrinks',
      known: 5,
      lost: 1,
      owner: { before: expect.any(String), after: user.username },
    },
  });
  expect(await rowOf(world, 'credential', refused.credentialId)).toMatchObject(WIPED);

  const taken = await replace(added, next.token, { acceptLoss: true });
  expect(taken.code).toBe('ok');
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    warnings: ['owner_changed', 'reach_reduced'],
  });
  const open = await world.database.stores.syncs.findOpen(added.integrationId);
  expect(await rowOf(world, 'sync_run', open?.id ?? '')).toMatchObject({ accept_removals: true });
});

test('a retry after a lost answer returns the result of the first attempt', async () => {
  const added = await listed();
  const next = world.simulator.control.createToken({ scopes: SCOPES, userId: added.userId });
  const { commandId } = await replace(added, next.token);
  world.simulator.control.requests.reset();
  expect(
    await run(activities, 'replaceToken', {
      integrationId: added.integrationId,
      commandId,
      nowMs: Date.now(),
    }),
  ).toEqual({ code: 'ok' });
  expect(world.simulator.control.requests.list()).toEqual([]);
  const kinds = await kindsOf(world, added.integrationId);
  expect(kinds.filter((kind) => kind === 'integration.token_replaced')).toHaveLength(1);
});

test('a replacement does not revive an integration that was removed meanwhile', async () => {
  const added = await listed();
  const next = world.simulator.control.createToken({ scopes: SCOPES });
  const { commandId, credentialId } = await addReplacement(world, {
    integrationId: added.integrationId,
    token: next.token,
  });
  const now = new Date();
  await world.database.transaction(async (tx) => {
    await tx.integrations.remove({ id: added.integrationId, now });
    await tx.credentials.wipeAll({ integrationId: added.integrationId, now });
  });
  expect(
    await run(activities, 'replaceToken', {
      integrationId: added.integrationId,
      commandId,
      nowMs: Date.now(),
    }),
  ).toEqual({ code: 'not_found' });
  expect(await rowOf(world, 'credential', credentialId)).toMatchObject(WIPED);
});

test('a replacement that runs twice concurrently stores the new token once, and both attempts report success', async () => {
  const added = await listed();
  const next = world.simulator.control.createToken({ scopes: SCOPES });
  const { commandId, credentialId } = await addReplacement(world, {
    integrationId: added.integrationId,
    token: next.token,
  });
  const input = { integrationId: added.integrationId, commandId, nowMs: Date.now() };
  const results = await Promise.all([
    run(activities, 'replaceToken', input),
    run(activities, 'replaceToken', input),
  ]);
  expect(results).toEqual([{ code: 'ok' }, { code: 'ok' }]);
  expect(await rowOf(world, 'credential', credentialId)).toMatchObject({
    state: 'current',
    sealed: expect.anything(),
  });
  const replaced = (await eventsOf(world, added.integrationId)).filter(
    ({ kind }) => kind === 'integration.token_replaced',
  );
  expect(replaced).toHaveLength(1);
  expect(
    await run(activities, 'verifyToken', { ...added, commandId: null, nowMs: Date.now() }),
  ).toMatchObject({
    status: 'active',
  });
});
