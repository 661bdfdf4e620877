import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import { addIntegration } from '../support/integration.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const REPOSITORIES = 40;
/** Concurrent scans of a test worker; each may have one clone running and one queued. */
const AT_ONCE = 2 * 2;
let world: TestWorld;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(REPOSITORIES) } });
});
afterAll(() => world.close());

const gitRequests = (status: number) =>
  world.simulator.control.requests
    .list()
    .filter((request) => request.status === status && /\.git\//.test(request.pathname));

const statesOf = async (integrationId: string) =>
  world.db.query<{ status: string; scans: number }>(
    `select status, count(*)::int as scans from scan where integration_id = $1 group by status order by status`,
    [integrationId],
  );

test('a token that is revoked while forty clones wait is used only a few more times, so no address is banned', async () => {
  const { id, token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  await startWorkers(world);
  const { integrationId } = await addIntegration(world, { token });
  // two dozen clones remain
  await awaitUntil(() => gitRequests(200).length >= 30, { timeoutMs: 50_000, what: 'ten clones' });
  world.simulator.control.revokeToken(id);
  await awaitUntil(
    async () => {
      const [row] = await world.db.query<{ verdict: string }>(
        'select verdict from integration where id = $1',
        [integrationId],
      );
      return row?.verdict === 'invalid';
    },
    { timeoutMs: 50_000, what: 'invalid' },
  );
  await awaitUntil(async () => (await statesOf(integrationId)).every(({ status }) => status !== 'running'));
  const refused = gitRequests(401).length;
  expect(refused).toBeGreaterThan(0);
  expect(refused).toBeLessThanOrEqual(AT_ONCE);
  const states = Object.fromEntries(
    (await statesOf(integrationId)).map(({ status, scans }) => [status, scans]),
  );
  // the other scans wait for a token and are neither failed nor clean
  expect(states['failed'] ?? 0).toBe(0);
  expect(states['queued']).toBeGreaterThan(10);
  expect((states['queued'] ?? 0) + (states['succeeded'] ?? 0)).toBe(REPOSITORIES);
  const api401 = world.simulator.control.requests
    .list()
    .filter((request) => request.status === 401 && request.pathname.startsWith('/api/'));
  // the verification after each refused clone, that of the workflow, and the second one that confirms it
  expect(api401.length).toBeLessThanOrEqual(AT_ONCE + 4);
});
