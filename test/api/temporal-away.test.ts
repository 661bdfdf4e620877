import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import { createStarters } from '../../src/temporal/starters.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld, temporalOf } from '../support/world.ts';

let world: TestWorld;
/** The API while its Temporal server is away and no worker runs. */
let api: TestApi;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(2) } });
  const nobody = temporalOf('127.0.0.1:1');
  world.onClose(() => nobody.connection.close());
  api = await startApi(world, { starters: createStarters({ client: nobody.client }) });
});

afterAll(async () => {
  await world.close();
});

async function create(name: string): Promise<{ id: string; status: string }> {
  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  const json = { provider: 'gitlab', type: 'git', token, name };
  const answer = await api.call('POST integrations', { json });
  expect(answer.status).toBe(201);
  return answer.body;
}

const read = async (id: string) => (await api.call(`GET integrations/${id}`)).body;

test('no accepted request is lost while Temporal is unavailable', async () => {
  const [stored, paused, removed] = await Promise.all([create('kept'), create('paused'), create('removed')]);
  expect(stored).toMatchObject({ status: 'pending', cause: null, token: null, lastVerifiedAt: null });
  const [sync, verify, pause, remove] = await Promise.all([
    api.call(`POST integrations/${stored.id}/sync`),
    api.call(`POST integrations/${stored.id}/verify`),
    api.call(`PATCH integrations/${paused.id}`, { json: { paused: true } }),
    api.call(`DELETE integrations/${removed.id}`),
  ]);
  expect([sync.status, verify.status, pause.status, remove.status]).toEqual([202, 202, 200, 204]);
  expect(pause.body.status).toBe('paused');
  expect((await api.call(`GET integrations/${removed.id}`)).status).toBe(404);
  const sealed = await world.db.query(
    'select 1 from credential where integration_id = $1 and sealed is not null',
    [removed.id],
  );
  expect(sealed).toEqual([]);

  await startWorkers(world);
  const active = await awaitUntil(async () => {
    const observed = await read(stored.id);
    return observed.status === 'active' && observed.counts.scanned === 2 ? observed : null;
  });
  expect(active.sync).toMatchObject({ state: 'idle', listed: 2 });
  const { body: syncs } = await api.call(`GET integrations/${stored.id}/syncs`);
  expect(syncs.items).toMatchObject([{ id: sync.body.syncId, state: 'done' }]);
  await awaitUntil(async () => (await read(paused.id)).lastVerifiedAt !== null);
  expect(await read(paused.id)).toMatchObject({ status: 'paused', counts: { repositories: 0 } });
  await awaitUntil(async () => {
    const rows = await world.db.query('select 1 from integration where id = $1', [removed.id]);
    return rows.length === 0;
  });
});

test('a wake that Temporal refuses is logged and does not fail the request', async () => {
  const refusing = createStarters({ client: world.temporal.client, queuePrefix: world.queuePrefix });
  const other = await startApi(world, {
    starters: { ...refusing, wakeIntegration: () => Promise.reject(new Error('16 UNAUTHENTICATED')) },
  });
  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  const answer = await other.call('POST integrations', { json: { provider: 'gitlab', type: 'git', token } });
  expect(answer.status).toBe(201);
  expect(world.logged.some((line) => line.includes('16 UNAUTHENTICATED'))).toBe(true);
  await awaitUntil(async () => (await read(answer.body.id)).status === 'active');
});
