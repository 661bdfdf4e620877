import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { addIntegration } from './integration.ts';
import { startWorkers } from './workers.ts';
import type { TestWorld } from './world.ts';
import { createTestWorld } from './world.ts';

let world: TestWorld;

beforeAll(async () => {
  world = await createTestWorld();
  await startWorkers(world);
});

afterAll(async () => {
  await world.close();
});

test('a token becomes an active integration whose repositories are listed, cloned and scanned', async () => {
  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  const { integrationId } = await addIntegration(world, { token });
  const scanned = async () => {
    const [row] = await world.db.query(
      `select (select verdict from integration where id = $1) as verdict,
              (select count(*)::int from scan where status in ('queued', 'running')) as open,
              (select count(*)::int from scan where status = 'succeeded') as succeeded`,
      [integrationId],
    );
    return row?.['verdict'] === 'active' && row['open'] === 0 && Number(row['succeeded']) > 5 ? row : null;
  };
  // all recipes take ten seconds on a busy machine
  const done = await awaitUntil(scanned, { timeoutMs: 50_000, what: 'the end of all scans' });
  expect(done['verdict']).toBe('active');
  expect(world.simulator.control.failures()).toEqual([]);
});
