import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { fleetRecipes } from '../../simulator/index.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { startWorkers } from '../support/workers.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let api: TestApi;
let integrationId: string;
let repositoryId: string;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(2) } });
  api = await startApi(world);
  await startWorkers(world, { queues: ['orchestration', 'gitlab'] });
  const { body } = await api.call('POST integrations', { json: newIntegration() });
  integrationId = body.id;
  repositoryId = await awaitUntil(async () => {
    const page = await api.call(`GET integrations/${integrationId}/repositories`);
    return page.body.items[0]?.id;
  });
});

afterAll(async () => {
  await world.close();
});

function newIntegration() {
  const { token } = world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] });
  return { provider: 'gitlab', type: 'git', token };
}

let keys = 0;

/** Posts with one key, over and over. */
function repeater(path: string, as: 'operator' | 'admin' = 'admin') {
  keys += 1;
  const headers = { 'Idempotency-Key': `key-${keys}` };
  return (json: unknown) => api.call(`POST ${path}`, { as, json, headers });
}

const starting: [string, () => [string, object, object]][] = [
  ['an integration', () => ['integrations', newIntegration(), newIntegration()]],
  ['a sync', () => [`integrations/${integrationId}/sync`, {}, { acceptRemovals: true }]],
  ['scans of all', () => [`integrations/${integrationId}/scan`, {}, { full: true }]],
  ['a scan', () => [`repositories/${repositoryId}/scan`, {}, { full: true }]],
  ['an API key', () => ['api-keys', { name: 'a', role: 'viewer' }, { name: 'b', role: 'viewer' }]],
];

test.each(starting)(
  'a repeated request starts %s once and gets the same answer; another body is refused',
  async (_what, of) => {
    const [path, json, other] = of();
    const post = repeater(path);
    const first = await post(json);
    expect([201, 202]).toContain(first.status);
    const again = await post(json);
    expect(again.status).toBe(first.status);
    expect(again.headers.get('Location')).toBe(first.headers.get('Location'));
    const { value: _shownOnce, ...resource } = first.body;
    expect(again.body).toEqual(resource);
    const reused = await post(other);
    expect([reused.status, reused.body.code]).toEqual([422, 'idempotency_key_reused']);
  },
);

test.each([240, 250, 260, 2_000])('a path of %d characters works with a key', async (length) => {
  const path = `repositories/${'x'.repeat(length)}/scan` as const;
  const options = { json: {}, headers: { 'Idempotency-Key': `long-path-${length}` } };
  expect((await api.call(`POST ${path}`, options)).status).toBe(404);
});

test('without a key every request acts', async () => {
  const created = async () =>
    (await api.call('POST api-keys', { json: { name: 'a', role: 'viewer' } })).body.id;
  expect(await created()).not.toBe(await created());
});

test('of two concurrent requests one acts, the other gets 409 idempotency_in_progress', async () => {
  const post = repeater('integrations');
  const json = newIntegration();
  const answers = await Promise.all([post(json), post(json), post(json)]);
  const codes = answers.map(({ status, body }) => (status === 201 ? 'made' : body.code));
  expect(codes.sort((a, b) => a.localeCompare(b))).toEqual([
    'idempotency_in_progress',
    'idempotency_in_progress',
    'made',
  ]);
  const { body } = await post(json);
  expect(answers.find(({ status }) => status === 201)?.body.id).toBe(body.id);
});

test('a failed request can be retried with its key, also with another body', async () => {
  const post = repeater('api-keys');
  expect((await post({ name: '', role: 'viewer' })).status).toBe(400);
  expect((await post({ name: 'better', role: 'viewer' })).status).toBe(201);
});

test('a refusal is not stored: the conflict may be gone the next time', async () => {
  const first = newIntegration();
  const created = await api.call('POST integrations', { json: first });
  const post = repeater('integrations');
  expect((await post(first)).body.code).toBe('token_in_use');
  await api.call(`DELETE integrations/${created.body.id}`);
  expect((await post(first)).status).toBe(201);
});

test('a key is scoped to its principal and path', async () => {
  const headers = { 'Idempotency-Key': 'shared' };
  const path = `integrations/${integrationId}/sync`;
  const one = await api.call(`POST ${path}`, { as: 'admin', json: {}, headers });
  const other = await api.call(`POST ${path}`, { as: 'operator', json: { acceptRemovals: false }, headers });
  const elsewhere = await api.call('POST api-keys', { json: { name: 'x', role: 'viewer' }, headers });
  expect([one.status, other.status, elsewhere.status]).toEqual([202, 202, 201]);
});

test.each([['with space'], ['x'.repeat(256)], ['ümlaut']])('the key %j is 400', async (key) => {
  const headers = {
    'Idempotency-Key': encodeURIComponent(key) === key ? key : Buffer.from(key).toString('latin1'),
  };
  const answer = await api.call('POST api-keys', { json: { name: 'x', role: 'viewer' }, headers });
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
});

test('only a keyed hash of the request and an answer without secrets are stored', async () => {
  const rows = await world.db.query('select body_hash, response::text as response from idempotency_key');
  expect(rows.length).toBeGreaterThan(5);
  for (const row of rows) {
    expect(row['body_hash']).toMatch(/^[0-9a-f]{64}$/);
    expect(row['response'] ?? '').not.toMatch(/secu_|"value"/);
  }
});
