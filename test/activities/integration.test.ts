import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import { sync } from './listing-support.ts';
import type { Activities } from './support.ts';
import { active, activitiesOf, addReplacement, eventsOf, kindsOf, pending, rowOf } from './support.ts';

const DAY_MS = 86_400_000;
const DEATH = '2027-02-01';
const deathMs = Date.parse(`${DEATH}T00:00:00Z`);
let world: TestWorld;
let activities: Activities;

beforeAll(async () => {
  world = await createTestWorld({
    simulator: { recipes: fleetRecipes(2) },
    settings: { syncIntervalMs: 3_600_000 },
  });
});
afterAll(async () => {
  await world.close();
});
beforeEach(async () => {
  activities = await activitiesOf(world);
});

test('a command is claimed by the plan that finds it, again after a crash, and not after it is done', async () => {
  const { integrationId, commandId } = await pending(world);
  const look = async () => (await activities.planIntegration({ integrationId, nowMs: Date.now() })).action;
  expect(await look()).toEqual({ do: 'verify', commandId });
  expect(await rowOf(world, 'command', commandId)).toMatchObject({ state: 'claimed' });
  expect(await look()).toEqual({ do: 'verify', commandId });
  await world.database.stores.commands.finish({
    id: commandId,
    kind: 'verify',
    result: { verdict: 'active' },
    now: new Date(),
  });
  const next = await addReplacement(world, { integrationId, token: ['not', 'a', 'token'].join('-') });
  expect(await look()).toEqual({ do: 'replace_token', commandId: next.commandId });
});

test('a waiting sync runs, the next one is due at its pace, and neither runs while paused', async () => {
  const { integrationId } = await active(world, activities, { expiresAt: null });
  const nowMs = Date.now();
  const look = async (atMs = nowMs) =>
    (await activities.planIntegration({ integrationId, nowMs: atMs })).action;
  expect(await look()).toEqual({ do: 'sync' });
  await sync(activities, integrationId, { nowMs });
  // half the interval, because this one changed something
  expect(await look()).toEqual({ do: 'wait', untilMs: nowMs + 1_800_000 });
  expect(await look(nowMs + 1_800_000)).toEqual({ do: 'sync' });
  await world.database.stores.integrations.change(integrationId, { paused: true }, new Date());
  expect(await activities.planIntegration({ integrationId, nowMs: nowMs + 3_600_000 })).toEqual({
    status: 'paused',
    action: { do: 'wait', untilMs: nowMs + 3_600_000 + DAY_MS },
  });
});

test('a threshold is flagged once, with a row, an event and a field of the token', async () => {
  const { integrationId, credentialId } = await active(world, activities, { expiresAt: DEATH });
  const nowMs = deathMs - 7 * DAY_MS;
  await sync(activities, integrationId, { nowMs });
  expect((await activities.planIntegration({ integrationId, nowMs })).action).toEqual({
    do: 'flag',
    thresholdDays: 7,
  });
  const flag = { integrationId, thresholdDays: 7, nowMs };
  expect(await Promise.all([activities.flagExpiry(flag), activities.flagExpiry(flag)])).toContainEqual({
    flagged: true,
  });
  expect(await activities.flagExpiry(flag)).toEqual({ flagged: false });
  expect(await rowOf(world, 'credential', credentialId)).toMatchObject({
    flag: 7,
    flagged_at: new Date(nowMs),
  });
  const flags = (await eventsOf(world, integrationId)).filter(({ kind }) => kind.includes('expiry'));
  expect(flags).toEqual([
    {
      kind: 'integration.expiry_flagged',
      repositoryId: null,
      data: { thresholdDays: 7, expiresAt: DEATH },
    },
  ]);
});

test('expiry has its own event and requests a verification, but does not make the token invalid', async () => {
  const { integrationId } = await active(world, activities, { expiresAt: DEATH });
  await activities.flagExpiry({ integrationId, thresholdDays: 0, nowMs: deathMs });
  expect((await kindsOf(world, integrationId)).at(-1)).toBe('integration.expired');
  expect(await rowOf(world, 'integration', integrationId)).toMatchObject({
    verdict: 'active',
    next_verify_at: new Date(deathMs),
  });
});

test('a late flag does not apply to another token or another date', async () => {
  const { integrationId, credentialId } = await active(world, activities, { expiresAt: DEATH });
  const late = { integrationId, thresholdDays: 7, nowMs: deathMs - 7 * DAY_MS };
  await world.db.query(`update credential set expires_on = '2028-02-01' where id = $1`, [credentialId]);
  expect(await activities.flagExpiry(late)).toEqual({ flagged: false });
  await world.db.query('update credential set expires_on = null where id = $1', [credentialId]);
  expect(await activities.flagExpiry(late)).toEqual({ flagged: false });
  expect((await kindsOf(world, integrationId)).filter((kind) => kind.includes('expir'))).toEqual([]);
  expect(await rowOf(world, 'credential', credentialId)).toMatchObject({ flag: null });
});

test('flags from a clock that was years ahead are replaced by those of the real time, also for the expiry', async () => {
  const { integrationId, credentialId } = await active(world, activities, { expiresAt: DEATH });
  const look = async (nowMs: number) => {
    const { action } = await activities.planIntegration({ integrationId, nowMs });
    if (action.do !== 'flag') return null;
    const { thresholdDays } = action;
    const { flagged } = await activities.flagExpiry({ integrationId, thresholdDays, nowMs });
    return { thresholdDays, flagged };
  };
  await sync(activities, integrationId, { nowMs: deathMs + 3 * 365 * DAY_MS });
  expect(await look(deathMs + 3 * 365 * DAY_MS)).toEqual({ thresholdDays: 0, flagged: true });
  await world.database.stores.integrations.change(integrationId, { nextVerifyAt: null }, new Date());
  expect(await look(deathMs - 90 * DAY_MS)).toBeNull();
  for (const thresholdDays of [60, 30, 14, 7, 3, 1, 0]) {
    const nowMs = deathMs - thresholdDays * DAY_MS;
    expect(await look(nowMs)).toEqual({ thresholdDays, flagged: true });
    expect(await look(nowMs + 1)).toBeNull();
    expect(await rowOf(world, 'credential', credentialId)).toMatchObject({
      flag: thresholdDays,
      flagged_at: new Date(nowMs),
    });
  }
});

test('the cleanup of a removed integration stops everything that runs and deletes all its rows', async () => {
  const { integrationId } = await active(world, activities);
  await sync(activities, integrationId);
  await world.database.stores.integrations.remove({ id: integrationId, now: new Date() });
  expect((await activities.planIntegration({ integrationId, nowMs: Date.now() })).action).toEqual({
    do: 'clean_up',
  });
  await activities.cleanUpIntegration({ integrationId, nowMs: Date.now() });
  expect(activities.starters.canceled).toEqual([`all ${integrationId}`]);
  for (const table of ['credential', 'command', 'repository', 'scan', 'sync_run', 'outbox']) {
    const rows = await world.db.query(`select 1 from ${table} where integration_id = $1`, [integrationId]);
    expect([table, rows.length]).toEqual([table, 0]);
  }
  expect(await world.database.stores.integrations.findAny(integrationId)).toBeNull();
  await activities.cleanUpIntegration({ integrationId, nowMs: Date.now() });
});
