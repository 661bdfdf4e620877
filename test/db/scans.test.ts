import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { minutesLater, NOW, scannerRun, seedIntegration, seedRepositories, seedScan } from './seed.ts';

let db: TestDatabase;
let integrationId: string;
let repositoryId: string;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(async () => {
  await db.drop();
});

beforeEach(async () => {
  integrationId = await seedIntegration(db.database);
  const [id] = await seedRepositories(db.database, integrationId, [1]);
  repositoryId = `${id}`;
});

const scans = () => db.database.stores.scans;
const requestScan = (full = false) => scans().requestScan({ repositoryId, full, now: NOW });

async function begun(full = false) {
  const id = await requestScan(full);
  const scan = await scans().begin({ id, now: NOW });
  if (scan === null) throw new Error('the scan cannot begin');
  return scan;
}

const nothing = { outcome: null, cause: null, commit: null, cloneBytes: null, cloneMs: null, now: NOW };

test('a second request joins the waiting scan', async () => {
  const first = await requestScan();
  expect(await requestScan()).toBe(first);
});

test('concurrent requests get one scan', async () => {
  const ids = await Promise.all(Array.from({ length: 12 }, () => requestScan()));
  expect(new Set(ids).size).toBe(1);
});

test('a request joins the running scan; after its end it gets a new one', async () => {
  const scan = await begun();
  expect(await requestScan()).toBe(scan.id);
  await scans().end({
    ...nothing,
    id: scan.id,
    attempt: scan.attempt,
    status: 'succeeded',
    outcome: 'clean',
  });
  expect(await requestScan()).not.toBe(scan.id);
});

test("a user's request makes a waiting background scan as urgent as a user's scan", async () => {
  await scans().queue({ repositoryIds: [repositoryId], trigger: 'schedule', history: 'none', now: NOW });
  const id = await requestScan();
  expect(await scans().find(id)).toMatchObject({ trigger: 'schedule', priority: 1 });
});

test('a full request upgrades a waiting scan and does not repeat it', async () => {
  const id = await requestScan();
  expect(await requestScan(true)).toBe(id);
  expect(await scans().find(id)).toMatchObject({ history: 'full', fullAgain: false });
});

test('a full request joins a running scan, and a full scan follows it', async () => {
  const scan = await begun();
  expect(await requestScan(true)).toBe(scan.id);
  expect(await scans().find(scan.id)).toMatchObject({ history: 'none', fullAgain: true });
  const ended = await scans().end({
    ...nothing,
    id: scan.id,
    attempt: scan.attempt,
    status: 'succeeded',
    outcome: 'clean',
  });
  expect(ended).toMatchObject({ repositoryId, integrationId, fullAgain: true, trigger: 'manual' });
});

test('a full request joins a running full scan, and no scan follows', async () => {
  const scan = await begun(true);
  expect(await requestScan(true)).toBe(scan.id);
  expect(await scans().find(scan.id)).toMatchObject({ history: 'full', fullAgain: false });
});

const at = { counts: true, nextTryAt: minutesLater(5) };

test('an outdated attempt can neither continue, end nor requeue the scan of a later one', async () => {
  const late = await begun();
  const now = await scans().begin({ id: late.id, now: minutesLater(1) });
  expect(now?.attempt).toBe(late.attempt + 1);
  expect(await scans().enterPhase({ scan: late, phase: 'scanning' })).toBe(false);
  expect(await scans().end({ ...nothing, id: late.id, attempt: late.attempt, status: 'failed' })).toBeNull();
  expect(await scans().requeue({ id: late.id, attempt: late.attempt, cause: 'disk_low', ...at })).toBe(false);
  expect(await scans().find(late.id)).toMatchObject({ status: 'running', phase: 'cloning', attempt: 2 });
  expect(
    await scans().end({ ...nothing, id: late.id, attempt: 2, status: 'succeeded', outcome: 'clean' }),
  ).not.toBeNull();
});

test('a scan ends once', async () => {
  const scan = await begun();
  const end = () =>
    scans().end({ ...nothing, id: scan.id, attempt: null, status: 'canceled', cause: 'canceled' });
  expect(await end()).not.toBeNull();
  expect(await end()).toBeNull();
  expect(await scans().begin({ id: scan.id, now: NOW })).toBeNull();
});

test('phases and the commit are stored when they are reached, and an ended scan has no phase', async () => {
  const scan = await begun();
  expect(await scans().enterPhase({ scan, phase: 'scanning', commit: 'c0ffee' })).toBe(true);
  expect(await scans().enterPhase({ scan, phase: 'storing' })).toBe(true);
  expect(await scans().find(scan.id)).toMatchObject({ phase: 'storing', commit: 'c0ffee' });
  await scans().end({ ...nothing, id: scan.id, attempt: 1, status: 'failed', cause: 'scanner_crashed' });
  expect(await scans().find(scan.id)).toMatchObject({
    status: 'failed',
    phase: null,
    commit: 'c0ffee',
    cause: 'scanner_crashed',
  });
});

test('a cancel ends a waiting scan at once and stops a running one', async () => {
  const waiting = await requestScan();
  expect(await scans().requestCancel({ id: waiting, now: NOW })).toBe('canceled');
  expect(await scans().find(waiting)).toMatchObject({
    status: 'canceled',
    cause: 'canceled',
    finishedAt: NOW,
  });
  const scan = await begun();
  expect(await scans().requestCancel({ id: scan.id, now: NOW })).toBe('requested');
  expect(await scans().enterPhase({ scan, phase: 'scanning' })).toBe(false);
  expect(await scans().begin({ id: scan.id, now: NOW })).toBeNull();
  await scans().end({ ...nothing, id: scan.id, attempt: null, status: 'canceled', cause: 'canceled' });
  expect(await scans().requestCancel({ id: scan.id, now: NOW })).toBe('ended');
});

test('a requeued scan has the reason for waiting, and a new start clears it', async () => {
  const scan = await begun();
  expect(await scans().requeue({ id: scan.id, attempt: scan.attempt, cause: 'disk_low', ...at })).toBe(true);
  expect(await scans().find(scan.id)).toMatchObject({ status: 'queued', cause: 'disk_low', phase: null });
  await scans().begin({ id: scan.id, now: NOW });
  expect(await scans().find(scan.id)).toMatchObject({ status: 'running', cause: null });
});

test('a requeue is counted, and the scan is taken after its back-off or at the request of a user', async () => {
  const scan = await begun();
  await scans().requeue({ id: scan.id, attempt: scan.attempt, cause: 'gateway_failed', ...at });
  expect(await scans().find(scan.id)).toMatchObject({ requeues: 1, nextTryAt: minutesLater(5) });
  const taken = (now: Date) => scans().listQueued({ integrationId, exclude: [], limit: 10, now });
  expect(await taken(minutesLater(4))).toEqual([]);
  expect(await scans().nextTryAt({ integrationId, now: minutesLater(4) })).toEqual(minutesLater(5));
  expect(await taken(minutesLater(5))).toHaveLength(1);
  await requestScan();
  expect(await taken(NOW)).toHaveLength(1);
  expect(await scans().find(scan.id)).toMatchObject({ requeues: 0, nextTryAt: null });
});

test('an outage of GitLab does not count against the waiting scans', async () => {
  const scan = await begun();
  await scans().requeue({ id: scan.id, attempt: scan.attempt, cause: 'gateway_failed', ...at });
  await scans().resetRetryDelays(integrationId);
  expect(await scans().find(scan.id)).toMatchObject({ requeues: 0, nextTryAt: null });
});

test('the fleet takes requests, then hooks, new commits, first scans, routine, histories, and scans for new rules', async () => {
  const order = ['manual', 'hook', 'sync', 'created', 'schedule', 'history', 'rules'] as const;
  const ids = await seedRepositories(db.database, integrationId, [2, 3, 4, 5, 6, 7, 8]);
  for (const [index, trigger] of [...order.entries()].toReversed())
    await scans().queue({ repositoryIds: [ids[index] ?? ''], trigger, history: 'none', now: NOW });
  const taken = await scans().listQueued({ integrationId, exclude: [], limit: 10, now: NOW });
  expect(taken.map((scan) => scan.repositoryId)).toEqual(ids);
  const held = taken.slice(0, 2).map(({ scanId }) => scanId);
  const rest = await scans().listQueued({ integrationId, exclude: held, limit: 1, now: NOW });
  expect(rest.map((scan) => scan.repositoryId)).toEqual([ids[2]]);
});

test('a queued history gives way to new commits, and not to a scan that may wait longer', async () => {
  const [repositoryId = ''] = await seedRepositories(db.database, integrationId, [2]);
  const queue = (trigger: 'history' | 'sync' | 'rules', history: 'full' | 'none') =>
    scans().queue({ repositoryIds: [repositoryId], trigger, history, now: NOW });
  const queued = () =>
    db.query(`select trigger, priority, history from scan where repository_id = '${repositoryId}'`);
  expect(await queue('history', 'full')).toBe(1);
  expect(await queue('rules', 'none')).toBe(0);
  expect(await queued()).toEqual([{ trigger: 'history', priority: 6, history: 'full' }]);
  expect(await queue('sync', 'none')).toBe(1);
  expect(await queued()).toEqual([{ trigger: 'sync', priority: 3, history: 'none' }]);
});

test('repositories without a scan, or with one under other rules, are queued once, except excluded ones', async () => {
  const [scanned] = await seedRepositories(db.database, integrationId, [2, 3]);
  await seedScan(db.database, { integrationId, repositoryId: `${scanned}`, findings: [] });
  const queue = (rules: string) =>
    scans().queueNewAndOutdated({
      integrationId,
      trigger: 'sync',
      rules,
      requestId: null,
      now: minutesLater(1),
    });
  expect(await queue('sha256:one')).toBe(2);
  expect(await queue('sha256:one')).toBe(0);
  expect(await queue('sha256:two')).toBe(1);
  await db.query(`update repository set state = 'excluded' where integration_id = $1`, [integrationId]);
  await db.query(`update scan set status = 'canceled' where integration_id = $1`, [integrationId]);
  expect(await queue('sha256:three')).toBe(0);
});

test('a scan of all queues the active repositories and counts the running scans', async () => {
  await seedRepositories(db.database, integrationId, [2, 3]);
  const running = await begun();
  expect(await scans().queueAll({ integrationId, full: true, now: NOW })).toBe(3);
  expect(await scans().queueAll({ integrationId, full: true, now: NOW })).toBe(3);
  expect(await scans().find(running.id)).toMatchObject({ fullAgain: true, history: 'none' });
  const waiting = await db.query(
    `select distinct history from scan where integration_id = $1 and status = 'queued'`,
    [integrationId],
  );
  expect(waiting).toEqual([{ history: 'full' }]);
});

test('a scan of all raises the priority of waiting routine scans', async () => {
  await scans().queue({ repositoryIds: [repositoryId], trigger: 'schedule', history: 'none', now: NOW });
  await scans().queueAll({ integrationId, full: false, now: NOW });
  const [row] = await db.query('select priority from scan where repository_id = $1', [repositoryId]);
  expect(row).toEqual({ priority: 1 });
});

test('a second attempt replaces the scanner results of the first', async () => {
  const scan = await begun();
  await scans().recordScanners({
    scanId: scan.id,
    runs: [scannerRun({ status: 'failed' }), scannerRun({ name: 'x' })],
  });
  await scans().recordScanners({ scanId: scan.id, runs: [scannerRun()] });
  const view = await db.database.stores.scanViews.find(scan.id);
  expect(view?.scanners).toEqual([scannerRun()]);
});

test('old scans are removed, except the last one of a repository and those with findings', async () => {
  const first = await seedScan(db.database, { integrationId, repositoryId, findings: [] });
  const second = await seedScan(db.database, { integrationId, repositoryId, findings: [] });
  await scans().removeOlderThan(minutesLater(1));
  expect(await scans().find(first.scanId)).toBeNull();
  expect(await scans().find(second.scanId)).not.toBeNull();
});
