import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import { processJournal } from '../../src/background/rotation-journal-loop.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import { createRotationActivities, rotationHelpers } from './rotation-support.ts';
import type { Activities } from './support.ts';
import { activitiesOf, rowOf, run } from './support.ts';

const MINUTE_MS = 60_000;
let world: TestWorld;
let activities: Activities;
const {
  addRotateCommand,
  currentCredentialOf,
  journalEntries,
  journalFolder,
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

test('a token counts as not rotated only after two successful checks, five minutes apart', async () => {
  const added = await addRotatable();
  world.simulator.control.faults.add({
    match: { path: '/api/v4/personal_access_tokens/self/rotate' },
    answer: { kind: 'html', status: 502 },
  });
  const result = await rotate(added);
  expect(result.code).toBe('in_doubt');
  expect((await resolve(result, added)).code).toBe('in_doubt');
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    suspected_at: expect.anything(),
  });
  // meanwhile no verification decides, and no second rotation starts
  await run(activities, 'verifyToken', { ...added, commandId: null, nowMs: Date.now() });
  expect(await rotate(added)).toMatchObject({ code: 'rotation_in_doubt' });
  expect((await resolve(result, added, 4 * MINUTE_MS)).code).toBe('in_doubt');
  expect((await resolve(result, added, 6 * MINUTE_MS)).code).toBe('not_rotated');
  expect(countRotateRequests()).toBe(1);
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    verdict: 'active',
    suspected_at: null,
  });
  world.simulator.control.faults.clear();
  expect((await rotate(added)).code).toBe('ok');
});

test('nothing is decided during an outage of GitLab', async () => {
  const added = await addRotatable();
  world.simulator.control.faults.add({
    match: { path: '/api/v4/personal_access_tokens/self/rotate' },
    answer: { kind: 'lost_reply' },
  });
  const result = await rotate(added);
  await world.simulator.control.down();
  expect((await resolve(result, added)).code).toBe('in_doubt');
  await world.simulator.control.up();
  expect((await resolve(result, added)).code).toBe('rotation_lost');
});

test('another worker declares nothing lost for 24 hours, unless a person does', async () => {
  const added = await addRotatable();
  world.simulator.control.faults.add({
    match: { path: '/api/v4/personal_access_tokens/self/rotate' },
    answer: { kind: 'lost_reply' },
  });
  const first = await rotate(added);
  const owner = activities;
  activities = await activitiesOf(world);
  expect((await resolve(first, added)).code).toBe('in_doubt');
  const commandId = await addRotateCommand(added.integrationId, { force: true });
  const { attemptId } = first;
  const input = { integrationId: added.integrationId, attemptId, commandId, nowMs: Date.now() };
  expect((await run(activities, 'resolveRotation', input)).code).toBe('rotation_lost');
  expect(await rowOf(world, 'command', commandId)).toMatchObject({ result: { code: 'rotation_lost' } });

  const other = await addRotatable();
  const { integrationId } = other;
  const second = await run(owner, 'rotateToken', { integrationId, commandId: null, nowMs: Date.now() });
  expect((await resolve(second, other)).code).toBe('in_doubt');
  await world.db.query(`update rotation set owner_seen_at = now() - interval '25 hours' where id = $1`, [
    second.attemptId,
  ]);
  expect((await resolve(second, other)).code).toBe('rotation_lost');
});

test('an answer that was journalled but not stored is stored by the journal loop, also by another worker', async () => {
  const added = await addRotatable();
  const died = new Error('died');
  activities = await activitiesOf(world, {
    onStep(step) {
      if (step === 'journalled') throw died;
    },
  });
  const commandId = await addRotateCommand(added.integrationId);
  const input = { integrationId: added.integrationId, commandId, nowMs: Date.now() };
  await expect(run(activities, 'rotateToken', input)).rejects.toThrow('died');
  const [entry = ''] = journalEntries();
  const attempt = await world.database.stores.rotations.open(added.integrationId);
  expect(entry).toBe(`${attempt?.id}.entry`);
  const sealed = (await activities.rotation.journal.read(attempt?.id ?? ''))?.sealed;
  const context = {
    table: 'credential',
    rowId: attempt?.newCredentialId ?? '',
    version: attempt?.newVersion ?? 0,
  };
  const created = world.vault.unseal({ context, sealed: sealed ?? { keyId: '', record: Buffer.alloc(0) } });
  const text = readFileSync(join(journalFolder(), entry), 'utf8');
  for (const value of [added.token, created.reveal()])
    for (const form of [value, Buffer.from(value).toString('base64').slice(0, -4)])
      expect(text).not.toContain(form);

  await processJournal(activities.rotation);
  expect(await rowOf(world, 'rotation', attempt?.id ?? '')).toMatchObject({ state: 'committed' });
  expect(activities.starters.wakes).toContain(`integration ${added.integrationId}`);
  expect((await resolve({ attemptId: attempt?.id ?? '' }, added)).code).toBe('ok');
  expect(journalEntries()).toEqual([]);
  expect(countRotateRequests()).toBe(1);
  expect(await currentCredentialOf(added)).toMatchObject({ gitlab_token_id: String(added.tokenId + 1) });
});

test('an answer that is found after the rotation was declared lost still recovers the token', async () => {
  const added = await addRotatable();
  activities = await activitiesOf(world, {
    onStep(step) {
      if (step === 'journalled') throw new Error('died');
    },
  });
  const first = activities;
  const commandId = await addRotateCommand(added.integrationId);
  const input = { integrationId: added.integrationId, commandId, nowMs: Date.now() };
  await expect(run(first, 'rotateToken', input)).rejects.toThrow('died');
  activities = await activitiesOf(world);
  const attempt = await world.database.stores.rotations.open(added.integrationId);
  const forced = {
    ...input,
    attemptId: attempt?.id ?? '',
    commandId: await addRotateCommand(added.integrationId, { force: true }),
  };
  expect((await run(activities, 'resolveRotation', forced)).code).toBe('rotation_lost');
  await processJournal(first.rotation);
  const again = { ...forced, commandId: null };
  expect((await run(first, 'resolveRotation', again)).code).toBe('ok');
  await run(activities, 'verifyToken', { ...added, commandId: null, nowMs: Date.now() });
  expect(await rowOf(world, 'integration', added.integrationId)).toMatchObject({
    verdict: 'active',
    cause: null,
  });
});
