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
let id: string;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: fleetRecipes(1) } });
  api = await startApi(world);
  await startWorkers(world);
  const { body } = await api.call('POST integrations', {
    json: { provider: 'gitlab', type: 'git', token: newToken() },
  });
  id = body.id;
  await awaitUntil(async () => (await api.call(`GET integrations/${id}`)).body.counts.scanned === 1);
});

afterAll(async () => {
  await world.close();
});

const newToken = () => world.simulator.control.createToken({ scopes: ['read_api', 'read_repository'] }).token;

const lastEvent = async (kind: string) =>
  (await api.call(`GET integrations/${id}/events?kind=${kind}&limit=1`, { as: 'admin' })).body.items[0];

const expected = (requestId: string) => ({
  actor: expect.stringMatching(/^(user|key):/),
  data: { requestId, address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/) },
});

async function act(kind: string, request: `${string} ${string}`, json?: object) {
  const requestId = `audit-${kind}`;
  const answer = await api.call(request, {
    as: 'admin',
    headers: { 'X-Request-Id': requestId },
    ...(json === undefined ? {} : { json }),
  });
  expect(answer.status).toBeLessThan(300);
  const event = await lastEvent(kind);
  expect(event).toMatchObject(expected(requestId));
  return event;
}

test('changed settings are an audit event with the values before and after', async () => {
  const event = await act('settings.integration_changed', `PATCH integrations/${id}`, {
    name: 'Renamed',
    filters: { exclude: ['old/**'] },
  });
  expect(event.data.before).toMatchObject({ filters: { exclude: [] } });
  expect(event.data.after).toMatchObject({ name: 'Renamed', filters: { exclude: ['old/**'] } });
  expect(Object.keys(event.data.after).sort()).toEqual(['filters', 'name']);
});

test('a change that changes nothing leaves no event', async () => {
  const before = await lastEvent('settings.integration_changed');
  await api.call(`PATCH integrations/${id}`, { as: 'admin', json: { name: 'Renamed' } });
  expect(await lastEvent('settings.integration_changed')).toEqual(before);
});

test.each([
  ['request.verify', 'verify', undefined],
  ['request.sync', 'sync', {}],
  ['request.brake_release', 'sync', { acceptRemovals: true }],
  ['request.scan', 'scan', { full: true }],
])('%s is an audit event', (kind, action, json) => act(kind, `POST integrations/${id}/${action}`, json));

test('a scan of one repository and its cancellation are audit events', async () => {
  const [repository] = (await api.call(`GET integrations/${id}/repositories`)).body.items;
  const { data } = await act('request.scan', `POST repositories/${repository.id}/scan`, {});
  const canceled = await act('request.scan_cancel', `POST scans/${data.scanId}/cancel`);
  expect(canceled).toMatchObject({ repositoryId: repository.id, data: { scanId: data.scanId } });
});

test('a replaced token has the person as actor, in the request and in the outcome', async () => {
  await act('request.token_replacement', `PUT integrations/${id}/token`, { token: newToken() });
  expect(await lastEvent('integration.token_replaced')).toMatchObject({
    actor: expect.stringMatching(/^(user|key):/),
    data: { requestId: 'audit-request.token_replacement' },
  });
});

test('audit events of integrations are shown to administrators only', async () => {
  const { body } = await api.call(`GET integrations/${id}/events?limit=200`, { as: 'operator' });
  const kinds = body.items.map(({ kind }: { kind: string }) => kind);
  expect(kinds.filter((kind: string) => /^(request|settings)\./.test(kind))).toEqual([]);
});
