import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import type { RotationResult } from '../../src/activities/rotation-ends.ts';
import { keepJournal } from '../../src/activities/rotation-keeper.ts';
import { dateInDays } from '../../src/domain/rotation.ts';
import { createGitlabClient } from '../../src/gitlab/client.ts';
import { createPacer } from '../../src/gitlab/pacer.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import type { Active, Activities } from './support.ts';
import { active, activitiesOf, addReplacement, eventsOf, kindsOf, rowOf, run } from './support.ts';

const SCOPES = ['read_api', 'read_repository', 'self_rotate'];
const ROTATE = 'POST /api/v4/personal_access_tokens/self/rotate';
const MINUTE_MS = 60_000;
const WIPED = { state: 'wiped', sealed: null, key_id: null, token_hash: null };
let world: TestWorld;
let activities: Activities;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(2) } });
});
afterAll(async () => {
  await world.close();
});
beforeEach(async () => {
  world.simulator.control.faults.clear();
  world.simulator.control.requests.reset();
  world.simulator.control.setInstance({
    maxTokenLifetimeDays: 365,
    maintenanceMode: false,
    legacyRotationDisabled: false,
  });
  activities = await activitiesOf(world, {
    gitlab: createGitlabClient({
      policy: world.policy,
      pacer: createPacer({ perSecond: 1_000 }),
      userAgent: 'Secu/test',
      rotationTimeoutMs: 1_000,
    }),
  });
});

const posts = () => world.simulator.control.requests.count(ROTATE);
const rotatable = (options: { expiresAt?: string | null; scopes?: string[] } = {}) =>
  active(world, activities, { scopes: SCOPES, ...options });

async function ask(integrationId: string, payload: Record<string, unknown> = {}): Promise<string> {
  return world.database.stores.commands.add({ integrationId, kind: 'rotate', payload, now: new Date() });
}

async function rotate(
  { integrationId }: Pick<Active, 'integrationId'>,
  payload: Record<string, unknown> = {},
): Promise<RotationResult & { outcome: unknown }> {
  const commandId = await ask(integrationId, payload);
  const result = await run(activities, 'rotateToken', { integrationId, commandId, nowMs: Date.now() });
  return { ...result, outcome: (await rowOf(world, 'command', commandId))['result'] };
}

async function settle(result: RotationResult, { integrationId }: Pick<Active, 'integrationId'>, inMs = 0) {
  const { attemptId } = result;
  const nowMs = Date.now() + inMs;
  return run(activities, 'settleRotation', { integrationId, attemptId, commandId: null, nowMs });
}

const currentOf = async ({ integrationId }: Pick<Active, 'integrationId'>) => {
  const current = await world.database.stores.credentials.current(integrationId);
  return rowOf(world, 'credential', current?.id ?? '');
};
const journalFolder = () => join(world.folder, 'rotation', activities.rotation.journal.workerId);
const entries = () => readdirSync(journalFolder()).filter((name) => name.endsWith('.entry'));

test('a token is rotated by one POST with its life of before; the new one is current, the old one wiped', async () => {
  const added = await rotatable({ expiresAt: dateInDays(Date.now(), 90) });
  const result = await rotate(added);
  expect(result).toMatchObject({
    code: 'ok',
    outcome: { code: 'ok' },
    expiresAt: dateInDays(Date.now(), 90),
  });
  expect(posts()).toBe(1);
  expect(await rowOf(world, 'credential', added.credentialId)).toMatchObject(WIPED);
  expect(await currentOf(added)).toMatchObject({
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
  expect(entries()).toEqual([]);
  const { status } = await run(activities, 'verifyToken', { ...added, commandId: null, nowMs: Date.now() });
  expect(status).toBe('active');
  expect((await rotate(added)).code).toBe('ok');
});

test('a date that a person names is asked for; one over the limit of GitLab is asked for once more, and sooner', async () => {
  const added = await rotatable();
  const wanted = dateInDays(Date.now(), 200);
  expect((await rotate(added, { expiresAt: wanted })).expiresAt).toBe(wanted);
  expect(posts()).toBe(1);

  world.simulator.control.setInstance({ maxTokenLifetimeDays: 30 });
  const limited = await rotate(added, { expiresAt: wanted });
  expect(limited).toMatchObject({ code: 'ok', expiresAt: dateInDays(Date.now(), 29) });
  expect(posts()).toBe(3);
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
  expect(posts()).toBe(5);
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
  'GitLab says %s: nothing was rotated, the old token stays, and GitLab is not asked again',
  async (code, id) => {
    const added = await rotatable();
    world.simulator.control.faults.add({
      match: { path: '/api/v4/personal_access_tokens/self/rotate' },
      answer: { kind: 'case', id, of: 'api' },
    });
    expect(await rotate(added)).toMatchObject({ code, outcome: { code } });
    expect(posts()).toBe(1);
    expect(await currentOf(added)).toMatchObject({ id: added.credentialId });
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
  ['no answer ever comes', { kind: 'lost_reply', how: 'hang' }],
] as const)(
  'GitLab rotated and %s: lost, said plainly, one POST, and the new token lives',
  async (_what, answer) => {
    const added = await rotatable({ expiresAt: dateInDays(Date.now(), 90) });
    world.simulator.control.faults.add({
      match: { path: '/api/v4/personal_access_tokens/self/rotate' },
      answer,
    });
    const result = await rotate(added);
    expect(result.code).toBe('in_doubt');
    expect((await settle(result, added)).code).toBe('rotation_lost');
    expect(posts()).toBe(1);
    const row = await rowOf(world, 'integration', added.integrationId);
    expect(row).toMatchObject({ verdict: 'invalid', cause: 'rotation_lost' });
    const event = (await eventsOf(world, added.integrationId)).at(-1);
    expect(event).toMatchObject({
      kind: 'integration.rotation_lost',
      data: { expiresAt: dateInDays(Date.now(), 90) },
    });
    const lives = world.simulator.control.token(added.tokenId + 1);
    expect(lives).toMatchObject({ revoked: false, family: added.tokenId });

    // the old token is refused from now on, which is no other cause
    await run(activities, 'verifyToken', { ...added, commandId: null, nowMs: Date.now() });
    expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({ cause: 'rotation_lost' });
    expect(await rotate(added)).toMatchObject({ code: 'rotation_lost' });
    expect(posts()).toBe(1);

    const next = world.simulator.control.createToken({ scopes: SCOPES, userId: added.userId });
    const { commandId } = await addReplacement(world, { ...added, token: next.token });
    await run(activities, 'replaceToken', { ...added, commandId, nowMs: Date.now() });
    expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
      verdict: 'active',
      cause: null,
    });
  },
);

test('an answer without a value is lost, and tells the id of the token that was made', async () => {
  const added = await rotatable();
  world.simulator.control.faults.add({
    match: { path: '/api/v4/personal_access_tokens/self/rotate' },
    answer: { kind: 'reply', status: 200, body: { id: 4_711, name: 'Secu', scopes: SCOPES, token: '' } },
  });
  const result = await rotate(added);
  expect(result.code).toBe('in_doubt');
  world.simulator.control.revokeToken(added.tokenId);
  expect((await settle(result, added)).code).toBe('rotation_lost');
  expect((await eventsOf(world, added.integrationId)).at(-1)).toMatchObject({ data: { newTokenId: 4_711 } });
});

test('a token that was not rotated is believed so only when it was seen alive twice, five minutes apart', async () => {
  const added = await rotatable();
  world.simulator.control.faults.add({
    match: { path: '/api/v4/personal_access_tokens/self/rotate' },
    answer: { kind: 'html', status: 502 },
  });
  const result = await rotate(added);
  expect(result.code).toBe('in_doubt');
  expect((await settle(result, added)).code).toBe('in_doubt');
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    suspected_at: expect.anything(),
  });
  // no verification decides meanwhile, and no second rotation begins
  await run(activities, 'verifyToken', { ...added, commandId: null, nowMs: Date.now() });
  expect(await rotate(added)).toMatchObject({ code: 'rotation_in_doubt' });
  expect((await settle(result, added, 4 * MINUTE_MS)).code).toBe('in_doubt');
  expect((await settle(result, added, 6 * MINUTE_MS)).code).toBe('not_rotated');
  expect(posts()).toBe(1);
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    verdict: 'active',
    suspected_at: null,
  });
  world.simulator.control.faults.clear();
  expect((await rotate(added)).code).toBe('ok');
});

test('while GitLab is away nothing is decided', async () => {
  const added = await rotatable();
  world.simulator.control.faults.add({
    match: { path: '/api/v4/personal_access_tokens/self/rotate' },
    answer: { kind: 'lost_reply' },
  });
  const result = await rotate(added);
  await world.simulator.control.down();
  expect((await settle(result, added)).code).toBe('in_doubt');
  await world.simulator.control.up();
  expect((await settle(result, added)).code).toBe('rotation_lost');
});

test('a look by another worker declares nothing lost for 24 hours, unless a person says so', async () => {
  const added = await rotatable();
  world.simulator.control.faults.add({
    match: { path: '/api/v4/personal_access_tokens/self/rotate' },
    answer: { kind: 'lost_reply' },
  });
  const first = await rotate(added);
  const owner = activities;
  activities = await activitiesOf(world);
  expect((await settle(first, added)).code).toBe('in_doubt');
  const commandId = await ask(added.integrationId, { force: true });
  const { attemptId } = first;
  const input = { integrationId: added.integrationId, attemptId, commandId, nowMs: Date.now() };
  expect((await run(activities, 'settleRotation', input)).code).toBe('rotation_lost');
  expect(await rowOf(world, 'command', commandId)).toMatchObject({ result: { code: 'rotation_lost' } });

  const other = await rotatable();
  const { integrationId } = other;
  const second = await run(owner, 'rotateToken', { integrationId, commandId: null, nowMs: Date.now() });
  expect((await settle(second, other)).code).toBe('in_doubt');
  await world.db.query(`update rotation set owner_seen_at = now() - interval '25 hours' where id = $1`, [
    second.attemptId,
  ]);
  expect((await settle(second, other)).code).toBe('rotation_lost');
});

test('an answer that was journalled and not stored is stored by the keeper, also by one that takes over', async () => {
  const added = await rotatable();
  const died = new Error('died');
  activities = await activitiesOf(world, {
    onStep(step) {
      if (step === 'journalled') throw died;
    },
  });
  const commandId = await ask(added.integrationId);
  const input = { integrationId: added.integrationId, commandId, nowMs: Date.now() };
  await expect(run(activities, 'rotateToken', input)).rejects.toThrow('died');
  const [entry = ''] = entries();
  const attempt = await world.database.stores.rotations.open(added.integrationId);
  expect(entry).toBe(`${attempt?.id}.entry`);
  const sealed = (await activities.rotation.journal.read(attempt?.id ?? ''))?.sealed;
  const context = {
    table: 'credential',
    rowId: attempt?.newCredentialId ?? '',
    version: attempt?.newVersion ?? 0,
  };
  const made = world.vault.unseal({ context, sealed: sealed ?? { keyId: '', record: Buffer.alloc(0) } });
  const text = readFileSync(join(journalFolder(), entry), 'utf8');
  for (const value of [added.token, made.reveal()])
    for (const form of [value, Buffer.from(value).toString('base64').slice(0, -4)])
      expect(text).not.toContain(form);

  await keepJournal(activities.rotation);
  expect(await rowOf(world, 'rotation', attempt?.id ?? '')).toMatchObject({ state: 'committed' });
  expect(activities.starters.wakes).toContain(`integration ${added.integrationId}`);
  const result = { attemptId: attempt?.id ?? '', code: '', newTokenId: null, expiresAt: null };
  expect((await settle(result, added)).code).toBe('ok');
  expect(entries()).toEqual([]);
  expect(posts()).toBe(1);
  expect(await currentOf(added)).toMatchObject({ gitlab_token_id: String(added.tokenId + 1) });
});

test('an answer that turns up after the loss was declared still saves the token', async () => {
  const added = await rotatable();
  activities = await activitiesOf(world, {
    onStep(step) {
      if (step === 'journalled') throw new Error('died');
    },
  });
  const first = activities;
  const commandId = await ask(added.integrationId);
  const input = { integrationId: added.integrationId, commandId, nowMs: Date.now() };
  await expect(run(first, 'rotateToken', input)).rejects.toThrow('died');
  activities = await activitiesOf(world);
  const attempt = await world.database.stores.rotations.open(added.integrationId);
  const forced = {
    ...input,
    attemptId: attempt?.id ?? '',
    commandId: await ask(added.integrationId, { force: true }),
  };
  expect((await run(activities, 'settleRotation', forced)).code).toBe('rotation_lost');
  await keepJournal(first.rotation);
  const again = { ...forced, commandId: null };
  expect((await run(first, 'settleRotation', again)).code).toBe('ok');
  await run(activities, 'verifyToken', { ...added, commandId: null, nowMs: Date.now() });
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    verdict: 'active',
    cause: null,
  });
});

test('two workers at once ask GitLab once', async () => {
  const added = await rotatable();
  world.simulator.control.faults.add({
    match: { path: '/api/v4/personal_access_tokens/self/rotate' },
    answer: { kind: 'slow', delayMs: 300 },
  });
  const other = await activitiesOf(world);
  const [one, two] = [await ask(added.integrationId), await ask(added.integrationId)];
  const results = await Promise.all([
    run(activities, 'rotateToken', { integrationId: added.integrationId, commandId: one, nowMs: Date.now() }),
    run(other, 'rotateToken', { integrationId: added.integrationId, commandId: two, nowMs: Date.now() }),
  ]);
  expect(results.map(({ code }) => code).toSorted()).toEqual(['ok', 'rotation_in_doubt']);
  expect(posts()).toBe(1);
});

test('one at a time at one GitLab', async () => {
  const [one, two] = [await rotatable(), await rotatable()];
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
  expect(posts()).toBe(1);
});

test('what stands in the way is found before GitLab is asked to rotate', async () => {
  const soon = await rotatable({ expiresAt: dateInDays(Date.now(), 2) });
  expect(await rotate(soon)).toMatchObject({ code: 'expires_within_48_hours' });
  const poor = await active(world, activities);
  expect(await rotate(poor)).toMatchObject({ code: 'token_scope_missing' });
  const gone = await rotatable();
  world.simulator.control.revokeToken(gone.tokenId);
  expect(await rotate(gone)).toMatchObject({ code: 'token_revoked' });
  expect(await rowOf(world, 'integration', gone.integrationId)).toMatchObject({
    suspected_at: expect.anything(),
  });
  const fine = await rotatable();
  const { journal } = activities.rotation;
  activities = await activitiesOf(world, {
    journal: {
      ...journal,
      tryOut: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
    },
  });
  expect(await rotate(fine)).toMatchObject({ code: 'journal_not_writable' });
  activities = await activitiesOf(world, { isDraining: () => true });
  expect(await rotate(fine)).toMatchObject({ code: 'shutting_down' });
  activities = await activitiesOf(world);
  await world.simulator.control.down();
  expect(await rotate(fine)).toMatchObject({ code: 'gitlab_unreachable' });
  await world.simulator.control.up();
  expect(posts()).toBe(0);
  expect((await rotate(soon, { force: true })).code).toBe('ok');
  expect(await kindsOf(world, soon.integrationId)).toContain('integration.rotated');
});

test('an answer that cannot be journalled is stored all the same', async () => {
  const added = await rotatable();
  const { journal } = activities.rotation;
  activities = await activitiesOf(world, {
    journal: {
      ...journal,
      write: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
    },
  });
  expect((await rotate(added)).code).toBe('ok');
});
