import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { finding, seedIntegration, seedRepositories, seedScan } from '../db/seed.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let api: TestApi;
let integrationId: string;
let repositoryIds: string[];

beforeAll(async () => {
  world = await createTestWorld();
  api = await startApi(world);
});

afterAll(async () => {
  await world.close();
});

beforeEach(async () => {
  integrationId = await seedIntegration(world.database);
  repositoryIds = await seedRepositories(world.database, integrationId, [1, 2]);
  for (const repositoryId of repositoryIds) {
    await seedScan(world.database, {
      integrationId,
      repositoryId,
      findings: [
        finding('worst', { severity: 'critical' }),
        finding('loose', { severity: 'low', kind: 'config', ruleId: 'loose' }),
      ],
    });
  }
});

const mine = (more = '') => `integrationId=${integrationId}${more}`;
const list = async (more = '') => (await api.call(`GET findings?${mine(more)}`, { as: 'viewer' })).body.items;
const summary = async (more = '') =>
  (await api.call(`GET findings/summary?${mine(more)}`, { as: 'viewer' })).body;
const ignore = (id: string, triage: object = { reason: 'accepted_risk' }) =>
  api.call(`PATCH findings/${id}`, { as: 'operator', json: { status: 'ignored', triage } });
const openOf = async (repositoryId: string | undefined) =>
  (await api.call(`GET repositories/${repositoryId}`)).body.counts;
const eventsOf = async (kind: string) =>
  (await api.call(`GET events?${mine(`&kind=${kind}`)}`, { as: 'viewer' })).body.items;

test('counts match the list for every filter', async () => {
  expect(await summary()).toEqual({
    total: 4,
    bySeverity: { critical: 2, high: 0, medium: 0, low: 2 },
    byKind: { secret: 2, code: 0, dependency: 0, config: 2 },
    byStatus: { open: 4, fixed: 0, removed: 0, ignored: 0 },
  });
  expect(await summary('&severity=critical&q=WORST')).toMatchObject({ total: 2, byKind: { config: 0 } });
  expect((await api.call('GET findings/summary?severity=worst')).status).toBe(400);
});

test('ignoring requires a reason, records who and until when, and lowers the open counts', async () => {
  const [worst] = await list('&severity=critical');
  const answer = await ignore(worst.id, {
    reason: 'used_in_tests',
    comment: ' a fixture ',
    until: '2199-01-01',
  });
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    id: worst.id,
    repositoryPath: expect.stringMatching(/^acme\/project-/),
    status: 'ignored',
    triage: {
      reason: 'used_in_tests',
      comment: 'a fixture',
      until: '2199-01-01',
      by: 'key:the operator',
      at: expect.stringMatching(/Z$/),
    },
  });
  expect(await openOf(worst.repositoryId)).toEqual({ open: 1, critical: 0, high: 0, medium: 0, low: 1 });
  expect(await summary('&status=ignored')).toMatchObject({ total: 1 });
  const [event] = await eventsOf('finding.triaged');
  expect(event).toMatchObject({
    repositoryId: worst.repositoryId,
    actor: 'key:the operator',
    data: { findingId: worst.id, status: 'ignored', reason: 'used_in_tests' },
  });
});

test('an ignored finding can be reopened and counts again', async () => {
  const [worst] = await list('&severity=critical');
  await ignore(worst.id);
  const answer = await api.call(`PATCH findings/${worst.id}`, { as: 'operator', json: { status: 'open' } });
  expect(answer.body).toMatchObject({ status: 'open', triage: null });
  expect(await openOf(worst.repositoryId)).toMatchObject({ open: 2, critical: 1 });
});

test('triage does not change a fixed finding', async () => {
  const [worst] = await list('&severity=critical');
  await seedScan(world.database, { integrationId, repositoryId: worst.repositoryId, findings: [] });
  expect((await ignore(worst.id)).body).toMatchObject({ status: 'fixed', triage: null });
});

test('bulk triage changes exactly the given ids or the matches of a filter', async () => {
  const all = await list();
  const ids = [all[0].id, all[3].id, 'fnd_nobody'];
  const triage = { reason: 'false_positive' };
  const byIds = await api.call('POST findings/triage', {
    as: 'operator',
    json: { ids, status: 'ignored', triage },
  });
  expect([byIds.status, byIds.body]).toEqual([200, { changed: 2 }]);
  expect((await list('&status=ignored')).map(({ id }: { id: string }) => id)).toEqual([all[0].id, all[3].id]);
  const filter = { integrationId, severity: 'low', status: 'open' };
  const byFilter = await api.call('POST findings/triage', {
    as: 'operator',
    json: { filter, status: 'ignored', triage },
  });
  expect(byFilter.body).toEqual({ changed: 1 });
  expect(await summary('&status=open')).toMatchObject({ total: 1, bySeverity: { critical: 1 } });
  const openAgain = { filter: { integrationId }, status: 'open' };
  expect((await api.call('POST findings/triage', { json: openAgain })).body).toEqual({ changed: 3 });
  for (const id of repositoryIds) expect(await openOf(id)).toMatchObject({ open: 2 });
});

test('an incomplete or contradictory triage is refused and changes nothing', async () => {
  const [worst] = await list();
  const refused = async (json: object) =>
    (await api.call(`PATCH findings/${worst.id}`, { as: 'operator', json })).status;
  expect(await refused({ status: 'ignored' })).toBe(400);
  expect(await refused({ status: 'ignored', triage: { reason: 'because' } })).toBe(400);
  expect(await refused({ status: 'open', triage: { reason: 'other' } })).toBe(400);
  expect(await refused({ status: 'fixed' })).toBe(400);
  expect((await ignore(worst.id, { reason: 'other', until: '2020-01-01' })).status).toBe(400);
  for (const json of [
    { status: 'open' },
    { status: 'open', ids: [worst.id], filter: {} },
    { status: 'open', ids: [] },
    { status: 'open', filter: { severity: 'worst' } },
  ])
    expect((await api.call('POST findings/triage', { json })).status).toBe(400);
  expect((await api.call('PATCH findings/fnd_nobody', { json: { status: 'open' } })).status).toBe(404);
  expect(await summary('&status=open')).toMatchObject({ total: 4 });
});

test('a viewer may not triage', async () => {
  const [worst] = await list();
  const json = { status: 'ignored', triage: { reason: 'other' } };
  expect((await api.call(`PATCH findings/${worst.id}`, { as: 'viewer', json })).status).toBe(403);
  const many = { ...json, ids: [worst.id] };
  expect((await api.call('POST findings/triage', { as: 'viewer', json: many })).status).toBe(403);
});

test('a finding ignored until a day reopens on that day', async () => {
  const [first, second] = await list('&severity=critical');
  await ignore(first.id, { reason: 'accepted_risk', until: '2150-01-01' });
  await ignore(second.id, { reason: 'accepted_risk' });
  const { triage } = world.database.stores;
  await triage.reopenDue(new Date('2149-12-31T23:59:59Z'));
  expect(await summary('&status=ignored')).toMatchObject({ total: 2 });
  const reopened = await triage.reopenDue(new Date('2150-01-01T00:00:00Z'));
  expect(reopened.map(({ findingIds }) => findingIds)).toEqual([[first.id]]);
  expect(await openOf(first.repositoryId)).toMatchObject({ critical: 1 });
});
