import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Registry } from '@prometheus-io/client';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import { startOutboxLoop } from '../../src/background/outbox-loop.ts';
import { createActivityMetrics } from '../../src/metrics/activities.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';
import type { NotedStarters } from './support.ts';
import { notedStarters, pending } from './support.ts';

let world: TestWorld;
let registry: Registry;
let starters: NotedStarters;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(1) } });
});
afterAll(async () => {
  await world.close();
});
beforeEach(() => {
  registry = new Registry();
  starters = notedStarters();
});

async function dispatching(work: () => Promise<void>): Promise<void> {
  const metrics = createActivityMetrics(registry);
  const stop = startOutboxLoop({ database: world.database, starters, log: world.log, metrics });
  try {
    await work();
  } finally {
    await stop();
  }
}

const waiting = () => world.db.query('select kind from outbox');

test('a wake that its writer could not send is sent within seconds, once', async () => {
  const { integrationId } = await pending(world);
  await dispatching(async () => {
    await awaitUntil(() => starters.wakes.length > 0);
    await awaitUntil(async () => (await waiting()).length === 0);
  });
  expect(starters.wakes).toEqual([`integration ${integrationId}`]);
  expect(await registry.metrics()).toContain('\nsecu_dispatcher_wakes_sent_total 1\n');
});

test('while Temporal is unavailable no wake is lost, and sending resumes by itself', async () => {
  const { integrationId } = await pending(world);
  starters.away = true;
  await dispatching(async () => {
    await awaitUntil(() => starters.tries > 0);
    expect(await waiting()).toHaveLength(1);
    starters.away = false;
    await awaitUntil(() => starters.wakes.length > 0);
  });
  expect(starters.wakes).toEqual([`integration ${integrationId}`]);
  expect(await waiting()).toEqual([]);
});

test('a database error is logged and the loop continues', async () => {
  const { integrationId } = await pending(world);
  await world.db.query('alter table outbox rename to outbox_away');
  await dispatching(async () => {
    await awaitUntil(() => world.logged.some((line) => line.includes('dispatcher: could not read')));
    await world.db.query('alter table outbox_away rename to outbox');
    await awaitUntil(() => starters.wakes.length > 0);
  });
  expect(starters.wakes).toEqual([`integration ${integrationId}`]);
});
