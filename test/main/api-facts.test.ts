import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Registry } from '@prometheus-io/client';
import { toolPath } from '../../harness/tools.ts';
import { readConfig } from '../../src/config/config.ts';
import { openDatabase } from '../../src/db/database.ts';
import { aboutOf, readyOf } from '../../src/main/api-facts.ts';
import { addIsolationGauge } from '../../src/metrics/isolation.ts';
import { startApi } from '../support/api.ts';
import { createTestDatabase } from '../support/database.ts';
import { addIntegration } from '../support/integration.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld, temporalOf } from '../support/world.ts';

let world: TestWorld;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
});

afterAll(async () => {
  await world.close();
});

/** What the API of this world is told of itself, by the functions of the real process. */
function factsOf(
  own: Partial<Pick<TestWorld, 'database' | 'temporal'>> = {},
  queuePrefix = world.queuePrefix,
) {
  const { database, temporal } = { ...world, ...own };
  return { database, temporal, temporalClient: temporal, queuePrefix };
}

async function readyz(facts: ReturnType<typeof factsOf>) {
  const api = await startApi(world, { ready: () => readyOf(facts) });
  const { status, body } = await api.call('GET /readyz', { as: null });
  return { status, body };
}

test('without workers, readiness is degraded and work is still accepted', async () => {
  expect(await readyz(factsOf())).toEqual({
    status: 200,
    body: {
      status: 'degraded',
      checks: { database: 'ok', migrations: 'ok', temporal: 'ok', workers: 'failed' },
    },
  });
});

test('if one queue has no worker, the workers check fails', async () => {
  const own = { ...world, queuePrefix: `${world.queuePrefix}part-` };
  const workers = await startWorkers(own, { queues: ['orchestration', 'gitlab'], dispatcher: false });
  const { body } = await readyz(factsOf({}, own.queuePrefix));
  expect(body.checks.workers).toBe('failed');
  await workers.stop();
});

test('with all components available, it is ready', async () => {
  await startWorkers(world);
  expect(await readyz(factsOf())).toEqual({
    status: 200,
    body: { status: 'ready', checks: { database: 'ok', migrations: 'ok', temporal: 'ok', workers: 'ok' } },
  });
});

test('without Temporal, readiness is degraded within a few seconds', async () => {
  const temporal = temporalOf('127.0.0.1:1');
  const startedMs = performance.now();
  const { status, body } = await readyz(factsOf({ temporal }));
  expect(performance.now() - startedMs).toBeLessThan(8_000);
  expect(status).toBe(200);
  expect(body).toEqual({
    status: 'degraded',
    checks: { database: 'ok', migrations: 'ok', temporal: 'failed', workers: 'failed' },
  });
  await temporal.connection.close();
});

test('with a missing namespace, the Temporal check fails', async () => {
  const temporal = { ...world.temporal, namespace: 'nowhere' };
  expect((await readyz(factsOf({ temporal }))).body.checks.temporal).toBe('failed');
});

test('with missing or newer migrations, it is not ready', async () => {
  const empty = await createTestDatabase({ empty: true });
  world.onClose(() => empty.drop());
  expect(await readyz(factsOf({ database: empty.database }))).toMatchObject({
    status: 503,
    body: { status: 'unready', checks: { database: 'ok', migrations: 'failed' } },
  });
  const newer = await createTestDatabase();
  world.onClose(() => newer.drop());
  await newer.query(`insert into secu_migration (name, executed_at) values ('Migration9999', now())`);
  expect((await readyz(factsOf({ database: newer.database }))).status).toBe(503);
});

test('without the database, it is not ready', async () => {
  const unavailable = await openDatabase({ url: 'postgresql://secu:x@127.0.0.1:1/secu', poolMax: 1 });
  world.onClose(() => unavailable.close());
  expect(await readyz(factsOf({ database: unavailable }))).toMatchObject({
    status: 503,
    body: { status: 'unready', checks: { database: 'failed', migrations: 'failed', temporal: 'ok' } },
  });
});

test('/about shows versions, sources of tools, and the uses of each key', async () => {
  await addIntegration(world, { token: 'token-of-about', wake: false });
  const config = readConfig(
    {
      SECU_GITLEAKS_PATH: await toolPath('gitleaks'),
      SECU_TEMPORAL_PATH: '/does/not/exist',
      SECU_TEMPORAL_UI_URL: 'https://temporal.example.com',
    },
    { isRoot: false },
  );
  const { database, vault, temporal } = world;
  const api = await startApi(world, { about: () => aboutOf({ config, database, vault, temporal }) });
  const { body } = await api.call('GET about');
  expect(body).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    temporalUi: 'https://temporal.example.com',
    namespace: temporal.namespace,
    database: expect.stringMatching(/^PostgreSQL \d+/),
  });
  const tools = new Map<string, { source: string | null; status: string; version: string | null }>(
    body.tools.map((tool: { name: string }) => [tool.name, tool]),
  );
  expect(tools.get('gitleaks')).toMatchObject({ source: 'configured', status: 'ok', version: '8.30.1' });
  expect(tools.get('temporal')).toMatchObject({ source: null, status: 'failed', version: null });

  const uses = Object.entries(world.dataKeys).length + 1;
  expect(body.keys).toEqual([{ id: vault.sealingKeyId, state: 'seals', uses }]);
  await world.db.query(`update data_key set key_id = 'of-before' where purpose = 'token'`);
  const after = (await api.call('GET about')).body.keys;
  expect(after).toContainEqual({ id: 'of-before', state: 'opens', uses: 1 });
  expect(after).toContainEqual({ id: vault.sealingKeyId, state: 'seals', uses: uses - 1 });
});

test('/about shows how each scan worker isolates scanners, from the metrics that it reports', async () => {
  const registry = new Registry();
  addIsolationGauge(registry, { level: 'uid', reachable: ['other_scans', 'network'] });
  const { workerReports } = world.database.stores;
  await workerReports.put({ id: 'scans', queues: ['scan'], metrics: await registry.metrics() });
  await workerReports.put({ id: 'gitlab', queues: ['gitlab'], metrics: '# nothing' });
  const { database, vault, temporal } = world;
  const config = readConfig({}, { isRoot: false });
  const api = await startApi(world, { about: () => aboutOf({ config, database, vault, temporal }) });
  const { body } = await api.call('GET about');
  expect(body.isolation).toEqual([{ worker: 'scans', level: 'uid', reachable: ['other_scans', 'network'] }]);
});
