import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import type { Answer, TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

interface Line {
  msg: string;
  activity?: string;
  outcome?: string;
  requestId?: string;
  workflowId?: string;
}

let world: TestWorld;
let api: TestApi;
let id: string;

/** A request that names itself. */
function asking(requestId: string, request: `${string} ${string}`, json?: object): Promise<Answer> {
  const headers = { 'X-Request-Id': requestId };
  return api.call(request, json === undefined ? { headers } : { headers, json });
}

const lines = (): Line[] => world.logged.map((line): Line => JSON.parse(line));

/** Activities that say that they served this request, each once. */
function served(requestId: string): string[] {
  const activities = lines()
    .filter((line) => line.msg === 'activity done' && line.requestId === requestId)
    .map(({ activity }) => activity ?? '');
  return [...new Set(activities)].sort();
}

const settled = () =>
  awaitUntil(async () => {
    const { sync, scans } = (await api.call(`GET integrations/${id}`)).body;
    return sync.state === 'idle' && sync.lastCompletedAt !== null && scans.queued + scans.running === 0;
  });

const eventsWith = async (requestId: string): Promise<string[]> =>
  (await api.call('GET events?limit=200')).body.items
    .filter(({ data }: { data: { requestId?: string } }) => data.requestId === requestId)
    .map(({ kind }: { kind: string }) => kind);

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(2) } });
  api = await startApi(world);
  await startWorkers(world);
  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  const answer = await asking('trace-create', 'POST integrations', {
    provider: 'gitlab',
    type: 'git',
    token,
  });
  id = answer.body.id;
  await settled();
});

afterAll(async () => {
  await world.close();
});

test('the request id of a creation is logged with all work that follows, up to the scans', async () => {
  await awaitUntil(() =>
    ['finishSync', 'scanRepository'].every((name) => served('trace-create').includes(name)),
  );
  expect(served('trace-create')).toEqual([
    'applyListing',
    'checkHeads',
    'finishSync',
    'listRepositories',
    'openSync',
    'planIntegration',
    'scanRepository',
    'verifyToken',
  ]);
  // a scan's row is final a moment before its activity is
  const scans = await awaitUntil(() => {
    const done = lines().filter(
      ({ activity, msg }) => activity === 'scanRepository' && msg === 'activity done',
    );
    return done.length === 2 ? done : null;
  });
  expect(scans.map(({ requestId }) => requestId)).toEqual(['trace-create', 'trace-create']);
  expect(scans[0]).toMatchObject({ outcome: 'done', workflowId: expect.stringMatching(/^scan:rep_/) });
});

test('the request id is logged with the work it caused: verification, one scan, all scans', async () => {
  const [repository] = (await api.call(`GET integrations/${id}/repositories`)).body.items;
  await asking('trace-verify', `POST integrations/${id}/verify`);
  expect(served('trace-verify')).toEqual(['planIntegration', 'verifyToken']);
  await asking('trace-one', `POST repositories/${repository.id}/scan`);
  await awaitUntil(() => served('trace-one').length > 0);
  await settled();
  await asking('trace-all', `POST integrations/${id}/scan`);
  await settled();
  await awaitUntil(() => served('trace-all').length > 0);
  expect(served('trace-one')).toEqual(['scanRepository']);
  expect(served('trace-all')).toEqual(['scanRepository']);
});

test('a requested sync logs its request id; background work logs none', async () => {
  await asking('trace-sync', `POST integrations/${id}/sync`);
  await awaitUntil(() => served('trace-sync').includes('finishSync'));
  const { syncs } = world.database.stores;
  await settled();
  const { id: syncId } = await syncs.open({ integrationId: id, trigger: 'schedule', now: new Date() });
  const before = world.logged.length;
  await world.starters.wakeIntegration(id);
  await awaitUntil(async () => (await syncs.find(syncId))?.state === 'done');
  const listings = lines()
    .slice(before)
    .filter(({ activity }) => activity === 'listRepositories');
  expect(listings).toHaveLength(1);
  expect(listings[0]?.requestId).toBeUndefined();
});

test('a joined scan keeps the request id that queued it', async () => {
  const [repository] = (await api.call(`GET integrations/${id}/repositories`)).body.items;
  const { scans } = world.database.stores;
  await api.call(`PATCH integrations/${id}`, { json: { paused: true } });
  const routine = { repositoryIds: [repository.id], trigger: 'schedule', history: 'none' } as const;
  await scans.queue({ ...routine, now: new Date() });
  const first = (await asking('trace-first', `POST repositories/${repository.id}/scan`)).body.scanId;
  await asking('trace-second', `POST repositories/${repository.id}/scan`);
  expect((await scans.find(first))?.requestId).toBe('trace-first');
  await api.call(`PATCH integrations/${id}`, { json: { paused: false } });
  await settled();
});

test('events contain the request id', async () => {
  expect(await eventsWith('trace-create')).toEqual(
    expect.arrayContaining(['integration.created', 'scan.finished']),
  );
  await asking('trace-pause', `PATCH integrations/${id}`, { paused: true });
  expect(await eventsWith('trace-pause')).toEqual(['settings.integration_changed', 'integration.paused']);
  await asking('trace-key', 'POST api-keys', { name: 'audited', role: 'viewer' });
  expect(await eventsWith('trace-key')).toEqual(['api_key.created']);
});

test('no workflow history contains a request id', async () => {
  const { client } = world.temporal;
  const repositories = (await api.call(`GET integrations/${id}/repositories`)).body.items;
  const ids = [
    `integration:${id}`,
    `sync:${id}`,
    `scans:${id}`,
    ...repositories.map((repository: { id: string }) => `scan:${repository.id}`),
  ];
  let runs = 0;
  for (const workflowId of ids) {
    for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      const decoded = historyToJSON(history).replace(
        /"data": ?"([A-Za-z0-9+/=]+)"/g,
        (_match, data: string) => Buffer.from(data, 'base64').toString(),
      );
      expect(decoded).not.toContain('trace-');
      runs += 1;
    }
  }
  expect(runs).toBeGreaterThan(6);
});

test.each([
  ['longer than a hundred characters', 'x'.repeat(101)],
  ['with anything but letters, digits and . : - _', 'a/b'],
  ['in the form of a token of GitLab', ['glpat', 'x'.repeat(20)].join('-')],
  ['in the form of a key of ours', ['secu', 'y'.repeat(43)].join('_')],
])('a request id %s is replaced', async (_what, given) => {
  const answer = await asking(given, 'GET /healthz');
  expect(answer.headers.get('X-Request-Id')).toMatch(/^[0-9A-Z]{26}$/);
});

test('a request is one log line, without path or query', async () => {
  const before = world.logged.length;
  await asking('trace-line', `GET integrations/${id}/events?limit=1`);
  await asking('trace-lost', 'GET /nowhere/my-secret?key=my-secret');
  const logged = lines()
    .slice(before)
    .filter(({ msg }) => msg === 'request');
  expect(logged).toEqual([
    expect.objectContaining({
      requestId: 'trace-line',
      method: 'GET',
      route: '/api/v1/integrations/:id/events',
      id,
      status: 200,
      durationMs: expect.any(Number),
      principal: expect.stringMatching(/^key_/),
    }),
    expect.objectContaining({ requestId: 'trace-lost', route: null, status: 404 }),
  ]);
  expect(JSON.stringify(logged)).not.toContain('my-secret');
  expect(JSON.stringify(logged)).not.toContain('limit=1');
});
