import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { openDatabase } from '../../src/db/database.ts';
import { listed, seedRepositories } from '../db/seed.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { addChannel } from '../support/channels.ts';
import { addIntegration } from '../support/integration.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const NOW = new Date('2026-03-01T12:00:00.000Z');
const secondsBefore = (seconds: number) => new Date(NOW.getTime() - seconds * 1_000);

let world: TestWorld;
let api: TestApi;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world, { now: () => NOW });
});

afterEach(async () => {
  await world.db.query('delete from integration');
  await world.db.query('delete from worker_report');
});

afterAll(async () => {
  await world.close();
});

async function scrape(): Promise<string> {
  const { status, text } = await api.call('GET /metrics', { as: 'metrics' });
  expect(status).toBe(200);
  return text;
}

/** The value of one series; absent: `undefined`. */
function sampleOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

let tokens = 0;
async function add(name: string): Promise<string> {
  tokens += 1;
  const { integrationId } = await addIntegration(world, {
    name,
    token: `token-${tokens}`,
    wake: false,
    now: NOW,
  });
  return integrationId;
}

async function queueScan(input: {
  integrationId: string;
  repositoryId: string;
  queuedAt: Date;
  cause?: string;
}): Promise<void> {
  await world.database.stores.scans.queue({
    repositoryIds: [input.repositoryId],
    trigger: 'sync',
    history: 'none',
    now: input.queuedAt,
  });
  await world.db.query('update scan set cause = $2 where repository_id = $1', [
    input.repositoryId,
    input.cause ?? null,
  ]);
}

test.each([
  [null, 401],
  ['calendar', 403],
  ['metrics', 200],
  ['viewer', 200],
  ['operator', 200],
  ['admin', 200],
] as const)('GET /metrics answers %s with %i', async (as, status) => {
  const answer = await api.call('GET /metrics', { as });
  expect(answer.status).toBe(status);
  const type = status === 200 ? 'text/plain; version=0.0.4; charset=utf-8' : 'application/problem+json';
  expect(answer.headers.get('Content-Type')).toBe(type);
});

test('without a database, /metrics answers 503 without details', async () => {
  const unavailable = await openDatabase({ url: 'postgresql://secu:x@127.0.0.1:1/secu', poolMax: 1 });
  world.onClose(() => unavailable.close());
  const other = await startApi(world, { database: unavailable });
  const answer = await other.call('GET /metrics', { as: 'metrics' });
  expect([answer.status, answer.body.code]).toEqual([503, 'database_unavailable']);
});

test('/metrics accepts only GET', async () => {
  const answer = await api.call('POST /metrics', { as: 'metrics' });
  expect([answer.status, answer.headers.get('Allow')]).toEqual([405, 'GET']);
});

test('an integration shows status, reachability and seconds until its token expires', async () => {
  const id = await add('GitLab "Production"');
  const withoutExpiry = await add('without expiry');
  await world.db.query(
    `update integration set verdict = 'active', reachability = 'unreachable', brake_held = 'x', last_sync_at = $2 where id = $1`,
    [id, secondsBefore(90)],
  );
  await world.db.query(
    `update credential set expires_on = '2026-03-03', expiry_known = true where integration_id = $1`,
    [id],
  );
  const text = await scrape();
  expect(sampleOf(text, `secu_token_expires_seconds{integration="${id}"}`)).toBe(36 * 3_600);
  expect(sampleOf(text, `secu_token_expires_seconds{integration="${withoutExpiry}"}`)).toBeUndefined();
  const statuses = ['pending', 'active', 'invalid', 'paused'].map((status) =>
    sampleOf(text, `secu_integration_status{integration="${id}",status="${status}"}`),
  );
  expect(statuses).toEqual([0, 1, 0, 0]);
  expect(sampleOf(text, `secu_integration_reachability{integration="${id}",state="unreachable"}`)).toBe(1);
  expect(sampleOf(text, `secu_integration_reachability{integration="${id}",state="reachable"}`)).toBe(0);
  expect(sampleOf(text, `secu_integration_brake_engaged{integration="${id}"}`)).toBe(1);
  expect(sampleOf(text, `secu_integration_last_sync_timestamp_seconds{integration="${id}"}`)).toBe(
    secondsBefore(90).getTime() / 1_000,
  );
  expect(text).toContain(`secu_integration_info{integration="${id}",name="GitLab \\"Production\\""} 1`);
});

test('an expired token counts below zero, and a paused integration is paused', async () => {
  const id = await add('expired');
  await world.db.query(`update integration set verdict = 'active', paused = true where id = $1`, [id]);
  await world.db.query(
    `update credential set expires_on = '2026-03-01', expiry_known = true where integration_id = $1`,
    [id],
  );
  const text = await scrape();
  expect(sampleOf(text, `secu_token_expires_seconds{integration="${id}"}`)).toBe(-12 * 3_600);
  expect(sampleOf(text, `secu_integration_status{integration="${id}",status="paused"}`)).toBe(1);
});

test('queued commands, wakes and scans are counted with their age', async () => {
  const id = await add('busy');
  await world.db.query(`update integration set verdict = 'active' where id = $1`, [id]);
  await world.db.query(`update command set created_at = $1`, [secondsBefore(30)]);
  await world.db.query(`update outbox set created_at = $1`, [secondsBefore(45)]);
  const repositories = await seedRepositories(world.database, id, [1, 2, 3, 4, 5, 6]);
  const ages = [-5, 59, 60, 1_800, 7_200, 90_000];
  for (const [index, repositoryId] of repositories.entries()) {
    await queueScan({ integrationId: id, repositoryId, queuedAt: secondsBefore(ages[index] ?? 0) });
  }
  await world.db.query(`update scan set cause = 'disk_low' where repository_id = $1`, [repositories[4]]);
  const text = await scrape();
  expect(sampleOf(text, 'secu_commands_waiting')).toBe(1);
  expect(sampleOf(text, 'secu_commands_oldest_age_seconds')).toBe(30);
  expect(sampleOf(text, 'secu_outbox_waiting')).toBe(1);
  expect(sampleOf(text, 'secu_outbox_oldest_age_seconds')).toBe(45);
  const byAge = ['under_1m', '1m_to_10m', '10m_to_1h', '1h_to_6h', 'over_6h'].map((age) =>
    sampleOf(text, `secu_scans_queued{age="${age}"}`),
  );
  expect(byAge).toEqual([2, 1, 1, 1, 1]);
  expect(sampleOf(text, 'secu_scans_queued_oldest_age_seconds')).toBe(90_000);
  expect(sampleOf(text, 'secu_scans_held_by_disk')).toBe(1);
  expect(sampleOf(text, 'secu_scans_running')).toBe(0);

  await world.db.query(`update integration set paused = true where id = $1`, [id]);
  const paused = await scrape();
  expect(sampleOf(paused, 'secu_scans_queued_oldest_age_seconds')).toBe(0);
  expect(sampleOf(paused, 'secu_scans_queued{age="over_6h"}')).toBe(1);
});

test('queued messages are counted, with how long the oldest is overdue', async () => {
  const channelId = await addChannel(world, { url: 'https://hooks.example.com/x' });
  const { deliveries } = world.database.stores;
  const [due, later] = [await deliveries.addTest({ channelId }), await deliveries.addTest({ channelId })];
  await world.db.query(`update delivery set next_try_at = now() - interval '90 seconds' where id = $1`, [
    due,
  ]);
  await world.db.query(`update delivery set next_try_at = now() + interval '1 hour' where id = $1`, [later]);
  const text = await scrape();
  expect(sampleOf(text, 'secu_deliveries_waiting')).toBe(2);
  expect(sampleOf(text, 'secu_deliveries_oldest_due_seconds')).toBeGreaterThanOrEqual(90);
  await world.database.stores.channels.remove(channelId);
  const after = await scrape();
  expect(sampleOf(after, 'secu_deliveries_waiting')).toBe(0);
  expect(sampleOf(after, 'secu_deliveries_oldest_due_seconds')).toBe(0);
});

test('every gauge is present and zero when nothing is queued', async () => {
  const text = await scrape();
  for (const name of ['secu_commands_waiting', 'secu_commands_oldest_age_seconds', 'secu_outbox_waiting'])
    expect([name, sampleOf(text, name)]).toEqual([name, 0]);
  for (const queue of ['orchestration', 'gitlab', 'scan'])
    expect(sampleOf(text, `secu_workers{queue="${queue}"}`)).toBe(0);
  expect(sampleOf(text, 'secu_repositories{state="active"}')).toBe(0);
});

test('no metric has a repository label', async () => {
  const id = await add('large');
  const few = await seedRepositories(world.database, id, [1, 2]);
  const linesBefore = (await scrape()).split('\n').filter((line) => !line.includes('http_request')).length;
  const many = Array.from({ length: 500 }, (_, index) => listed(1_000 + index));
  const ids = [...few, ...(await seedRepositories(world.database, id, many))];
  await world.db.query('update repository set open_high = 2, scanned_at = $1 where id = $2', [
    secondsBefore(60),
    ids[0],
  ]);
  const text = await scrape();
  expect(text.split('\n').filter((line) => !line.includes('http_request'))).toHaveLength(linesBefore);
  expect(ids.filter((repositoryId) => text.includes(repositoryId))).toEqual([]);
  expect(text).not.toContain('acme/');
  expect(sampleOf(text, 'secu_repositories{state="active"}')).toBe(502);
  expect(sampleOf(text, 'secu_repositories_never_scanned')).toBe(501);
  expect(sampleOf(text, 'secu_repositories_scanned_24h')).toBe(1);
  expect(sampleOf(text, 'secu_findings_open{severity="high"}')).toBe(2);
});

test('a scrape needs the same number of statements for fifty integrations as for one', async () => {
  const requested = async () => {
    const spy = jest.spyOn(pg.Client.prototype, 'query');
    await scrape();
    const texts = spy.mock.calls.map(([query]: unknown[]) =>
      String(typeof query === 'object' && query !== null && 'text' in query ? query.text : query),
    );
    spy.mockRestore();
    return texts.filter((text) =>
      /\b(integration|repository|scan|command|outbox|worker_report)\b/.test(text),
    );
  };
  await add('first');
  await scrape();
  const forOne = await requested();
  for (let count = 0; count < 49; count += 1) await add(`another ${count}`);
  expect(forOne).toHaveLength(4);
  expect([...(await requested())].sort()).toEqual([...forOne].sort());
});

test('requests are counted by route pattern, never by path', async () => {
  const id = await add('requested');
  await api.call(`GET integrations/${id}`);
  await api.call('GET integrations/int_01JG0000000000000000000000');
  await api.call('GET /secret-path-of-a-user', { as: null });
  await api.call('PROPFIND integrations');
  const text = await scrape();
  const route = '/api/v1/integrations/:id';
  const labels = (method: string, path: string, status: number) =>
    `{method="${method}",route="${path}",status="${status}"}`;
  expect(sampleOf(text, `secu_http_requests_total${labels('GET', route, 200)}`)).toBe(1);
  expect(sampleOf(text, `secu_http_requests_total${labels('GET', route, 404)}`)).toBe(1);
  expect(sampleOf(text, `secu_http_request_duration_seconds_count${labels('GET', route, 200)}`)).toBe(1);
  expect(sampleOf(text, `secu_http_requests_total${labels('GET', 'unmatched', 404)}`)).toBe(1);
  expect(sampleOf(text, `secu_http_requests_total${labels('other', 'unmatched', 405)}`)).toBe(1);
  expect(text).not.toContain('secret-path');
  expect(text).not.toContain('01JG0000000000000000000000');
});

test('worker reports are served with a worker label until they are a minute old', async () => {
  const { workerReports } = world.database.stores;
  const metrics = '# TYPE temporal_num_pollers gauge\ntemporal_num_pollers{namespace="secu"} 5\n';
  await workerReports.put({ id: 'worker:scan@one:7', queues: ['scan'], metrics });
  await workerReports.put({ id: 'worker:both@two:8', queues: ['orchestration', 'gitlab'], metrics });
  const text = await scrape();
  expect(sampleOf(text, 'temporal_num_pollers{worker="worker:scan@one:7",namespace="secu"}')).toBe(5);
  expect(sampleOf(text, 'temporal_num_pollers{worker="worker:both@two:8",namespace="secu"}')).toBe(5);
  expect(text.match(/# TYPE temporal_num_pollers gauge/g)).toHaveLength(1);
  expect(sampleOf(text, 'secu_workers{queue="scan"}')).toBe(1);
  expect(sampleOf(text, 'secu_workers{queue="gitlab"}')).toBe(1);

  await world.db.query(
    `update worker_report set at = now() - interval '61 seconds' where id like 'worker:scan%'`,
  );
  const later = await scrape();
  expect(later).not.toContain('worker:scan@one:7');
  expect(sampleOf(later, 'secu_workers{queue="scan"}')).toBe(0);

  await workerReports.remove('worker:both@two:8');
  expect(await scrape()).not.toContain('temporal_num_pollers');
});

test('live workers delete the reports of workers that are gone', async () => {
  const { workerReports } = world.database.stores;
  await workerReports.put({ id: 'gone', queues: ['scan'], metrics: '' });
  await world.db.query(`update worker_report set at = now() - interval '2 hours'`);
  await workerReports.put({ id: 'lives', queues: ['scan'], metrics: '' });
  expect(await world.db.query('select id from worker_report')).toEqual([{ id: 'lives' }]);
});

test('every check of /readyz is a gauge', async () => {
  const ready = async () => ({ database: true, temporal: false, migrations: true, workers: false });
  const other = await startApi(world, { ready });
  const { text } = await other.call('GET /metrics', {
    as: null,
    headers: { Authorization: `Bearer ${other.keys.metrics}` },
  });
  expect(sampleOf(text, 'secu_ready{check="database"}')).toBe(1);
  expect(sampleOf(text, 'secu_ready{check="temporal"}')).toBe(0);
});
