import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import { dateInDays } from '../../src/domain/rotation.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import { createRotationActivities, ROTATING_SCOPES, rotationHelpers } from './rotation-support.ts';
import type { Activities } from './support.ts';
import { active, activitiesOf, addReplacement, eventsOf, kindsOf, rowOf, run } from './support.ts';

const WIPED = { state: 'wiped', sealed: null, key_id: null, token_hash: null };
let world: TestWorld;
let activities: Activities;
const {
  addRotateCommand,
  currentCredentialOf,
  journalEntries,
  countRotateRequests,
  addRotatable,
  rotate,
  resolve,
} = rotationHelpers(() => ({
  world,
  activities,
}));

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(2) } });
});
afterAll(async () => {
  await world.close();
});
beforeEach(async () => {
  activities = await createRotationActivities(world);
});

test('one POST rotates a token with its previous lifetime; the new one is current, the old one wiped', async () => {
  const added = await addRotatable({ expiresAt: dateInDays(Date.now(), 90) });
  const result = await rotate(added);
  expect(result).toMatchObject({ code: 'ok', outcome: { code: 'ok' } });
  if (result.code !== 'ok') throw new Error('not rotated');
  expect(result.expiresAt).toBe(dateInDays(Date.now(), 90));
  expect(countRotateRequests()).toBe(1);
  expect(await rowOf(world, 'credential', added.credentialId)).toMatchObject(WIPED);
  expect(await currentCredentialOf(added)).toMatchObject({
    state: 'current',
    gitlab_token_id: String(result.newTokenId),
    expires_on: dateInDays(Date.now(), 90),
    may_rotate: true,
    flag: null,
  });
  expect(await rowOf(world, 'rotation', result.attemptId)).toMatchObject({ state: 'done' });
  expect((await eventsOf(world, added.integrationId)).at(-1)).toMatchObject({
    kind: 'integration.rotated',
    data: { before: { gitlabTokenId: added.tokenId }, after: { gitlabTokenId: result.newTokenId } },
  });
  expect(journalEntries()).toEqual([]);
  const { status } = await run(activities, 'verifyToken', { ...added, commandId: null, nowMs: Date.now() });
  expect(status).toBe('active');
  expect((await rotate(added)).code).toBe('ok');
});

test('a requested date is sent to GitLab; a date over its limit is replaced by an earlier one, once', async () => {
  const added = await addRotatable();
  const expected = dateInDays(Date.now(), 200);
  expect(await rotate(added, { expiresAt: expected })).toMatchObject({ expiresAt: expected });
  expect(countRotateRequests()).toBe(1);

  world.simulator.control.setInstance({ maxTokenLifetimeDays: 30 });
  const limited = await rotate(added, { expiresAt: expected });
  expect(limited).toMatchObject({ code: 'ok', expiresAt: dateInDays(Date.now(), 29) });
  expect(countRotateRequests()).toBe(3);
  world.simulator.control.faults.add({
    match: { path: '/api/v4/personal_access_tokens/self/rotate' },
    answer: {
      kind: 'reply',
      status: 400,
      body: { message: `400 Bad request - Expiration date must be before ${dateInDays(Date.now(), 20)}` },
    },
  });
  expect(await rotate(added)).toMatchObject({
    code: 'expiry_not_accepted',
    outcome: { code: 'expiry_not_accepted' },
  });
  expect(countRotateRequests()).toBe(5);
});

test.each([
  ['token_scope_missing', 'scope_self_rotate'],
  ['legacy_rotation_disabled', 'rotate_legacy_disabled'],
  ['rotation_refused', 'rotate_expiry_not_a_date'],
  ['token_wrong_kind', 'rotate_not_a_pat'],
  ['gitlab_maintenance', 'maintenance_write'],
  ['gitlab_too_old', 'unknown_route'],
  ['account_blocked', 'user_blocked'],
])(
  'GitLab refuses with %s: nothing was rotated, the old token stays, and GitLab is not asked again',
  async (code, id) => {
    const added = await addRotatable();
    world.simulator.control.faults.add({
      match: { path: '/api/v4/personal_access_tokens/self/rotate' },
      answer: { kind: 'case', id, of: 'api' },
    });
    expect(await rotate(added)).toMatchObject({ code, outcome: { code } });
    expect(countRotateRequests()).toBe(1);
    expect(await currentCredentialOf(added)).toMatchObject({ id: added.credentialId });
    expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
      verdict: 'active',
      suspected_at: null,
    });
    expect((await eventsOf(world, added.integrationId)).at(-1)).toMatchObject({
      kind: 'integration.rotation_failed',
      data: { cause: code },
    });
  },
);

test.each([
  ['the connection is cut', { kind: 'lost_reply', how: 'disconnect' }],
  ['a proxy answers 502', { kind: 'lost_reply', how: 'bad_gateway' }],
  ['half of the answer arrives', { kind: 'cut' }],
  ['half of the JSON arrives', { kind: 'truncated_json' }],
  ['no answer arrives', { kind: 'lost_reply', how: 'hang' }],
] as const)(
  'GitLab rotated and %s: the result is lost, with one POST, and the new token stays valid',
  async (_what, answer) => {
    const added = await addRotatable({ expiresAt: dateInDays(Date.now(), 90) });
    world.simulator.control.faults.add({
      match: { path: '/api/v4/personal_access_tokens/self/rotate' },
      answer,
    });
    const result = await rotate(added);
    expect(result.code).toBe('in_doubt');
    expect((await resolve(result, added)).code).toBe('rotation_lost');
    expect(countRotateRequests()).toBe(1);
    const row = await rowOf(world, 'integration', added.integrationId);
    expect(row).toMatchObject({ verdict: 'invalid', cause: 'rotation_lost' });
    const event = (await eventsOf(world, added.integrationId)).at(-1);
    expect(event).toMatchObject({
      kind: 'integration.rotation_lost',
      data: { expiresAt: dateInDays(Date.now(), 90) },
    });
    const newToken = world.simulator.control.token(added.tokenId + 1);
    expect(newToken).toMatchObject({ revoked: false, family: added.tokenId });

    // the old token is refused from now on, but the cause stays the same
    await run(activities, 'verifyToken', { ...added, commandId: null, nowMs: Date.now() });
    expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({ cause: 'rotation_lost' });
    expect(await rotate(added)).toMatchObject({ code: 'rotation_lost' });
    expect(countRotateRequests()).toBe(1);

    const next = world.simulator.control.createToken({ scopes: ROTATING_SCOPES, userId: added.userId });
    const { commandId } = await addReplacement(world, { ...added, token: next.token });
    await run(activities, 'replaceToken', { ...added, commandId, nowMs: Date.now() });
    expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
      verdict: 'active',
      cause: null,
    });
  },
);

test('an answer without the token value is lost, and the ID of the new token is reported', async () => {
  const added = await addRotatable();
  world.simulator.control.faults.add({
    match: { path: '/api/v4/personal_access_tokens/self/rotate' },
    answer: {
      kind: 'reply',
      status: 200,
      body: { id: 4_711, name: 'Secu', scopes: ROTATING_SCOPES, token: '' },
    },
  });
  const result = await rotate(added);
  expect(result.code).toBe('in_doubt');
  world.simulator.control.revokeToken(added.tokenId);
  expect((await resolve(result, added)).code).toBe('rotation_lost');
  expect((await eventsOf(world, added.integrationId)).at(-1)).toMatchObject({ data: { newTokenId: 4_711 } });
});

test('two concurrent workers send GitLab one rotation request', async () => {
  const added = await addRotatable();
  world.simulator.control.faults.add({
    match: { path: '/api/v4/personal_access_tokens/self/rotate' },
    answer: { kind: 'slow', delayMs: 300 },
  });
  const other = await activitiesOf(world);
  const [one, two] = [
    await addRotateCommand(added.integrationId),
    await addRotateCommand(added.integrationId),
  ];
  const results = await Promise.all([
    run(activities, 'rotateToken', { integrationId: added.integrationId, commandId: one, nowMs: Date.now() }),
    run(other, 'rotateToken', { integrationId: added.integrationId, commandId: two, nowMs: Date.now() }),
  ]);
  expect(results.map(({ code }) => code).toSorted()).toEqual(['ok', 'rotation_in_doubt']);
  expect(countRotateRequests()).toBe(1);
});

test('only one rotation runs per GitLab at a time', async () => {
  const [one, two] = [await addRotatable(), await addRotatable()];
  const other = activities;
  const codes: string[] = [];
  activities = await activitiesOf(world, {
    async onStep(step) {
      if (step !== 'intent') return;
      const { integrationId } = two;
      const input = { integrationId, commandId: null, nowMs: Date.now() };
      codes.push((await run(other, 'rotateToken', input)).code);
    },
  });
  expect((await rotate(one)).code).toBe('ok');
  expect(codes).toEqual(['rotation_busy']);
  expect(countRotateRequests()).toBe(1);
});

test('every obstacle is found before GitLab is asked to rotate', async () => {
  const soon = await addRotatable({ expiresAt: dateInDays(Date.now(), 2) });
  expect(await rotate(soon)).toMatchObject({ code: 'expires_within_48_hours' });
  const withoutScope = await active(world, activities);
  expect(await rotate(withoutScope)).toMatchObject({ code: 'token_scope_missing' });
  const gone = await addRotatable();
  world.simulator.control.revokeToken(gone.tokenId);
  expect(await rotate(gone)).toMatchObject({ code: 'token_revoked' });
  expect(await rowOf(world, 'integration', gone.integrationId)).toMatchObject({
    suspected_at: expect.anything(),
  });
  const rotatableToken = await addRotatable();
  const { journal } = activities.rotation;
  activities = await activitiesOf(world, {
    journal: {
      ...journal,
      assertWritable: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
    },
  });
  expect(await rotate(rotatableToken)).toMatchObject({ code: 'journal_not_writable' });
  activities = await activitiesOf(world, { isDraining: () => true });
  expect(await rotate(rotatableToken)).toMatchObject({ code: 'shutting_down' });
  activities = await activitiesOf(world);
  await world.simulator.control.down();
  expect(await rotate(rotatableToken)).toMatchObject({ code: 'gitlab_unreachable' });
  await world.simulator.control.up();
  expect(countRotateRequests()).toBe(0);
  expect((await rotate(soon, { force: true })).code).toBe('ok');
  expect(await kindsOf(world, soon.integrationId)).toContain('integration.rotated');
});

test('an answer that cannot be journalled is still stored', async () => {
  const added = await addRotatable();
  const { journal } = activities.rotation;
  activities = await activitiesOf(world, {
    journal: {
      ...journal,
      write: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
    },
  });
  expect((await rotate(added)).code).toBe('ok');
});
