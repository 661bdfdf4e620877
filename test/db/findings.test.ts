import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { ScannedFinding } from '../../src/domain/finding.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { finding, minutesLater, NOW, seedRepository, seedScan } from './seed.ts';

let db: TestDatabase;
let ids: { integrationId: string; repositoryId: string };

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(async () => {
  await db.drop();
});

beforeEach(async () => {
  ids = await seedRepository(db.database);
});

let minute = 0;

/** Stores a scan that ends a minute after the previous one. */
async function scan(
  findings: readonly ScannedFinding[],
  options: {
    full?: boolean;
    scanners?: readonly string[];
    ruleIds?: readonly string[];
    unreadPaths?: readonly string[];
  } = {},
) {
  minute += 1;
  return (await seedScan(db.database, { ...ids, findings, now: minutesLater(minute), ...options })).change;
}

const rows = () =>
  db.query<{ fingerprint: string; status: string }>(
    `select fingerprint, status from finding where repository_id = $1 order by fingerprint`,
    [ids.repositoryId],
  );

const statuses = async () => (await rows()).map((row) => `${row.fingerprint.slice(3)} ${row.status}`);

const open = async () => (await db.database.stores.repositories.findView(ids.repositoryId))?.open;

test('a new finding is open, and counted by severity', async () => {
  const change = await scan([
    finding('a', { severity: 'critical' }),
    finding('b', { severity: 'high' }),
    finding('c', { severity: 'high' }),
    finding('d', { severity: 'low' }),
  ]);
  expect(change.opened).toHaveLength(4);
  expect([change.reopened, change.fixed]).toEqual([[], []]);
  expect(change.open).toBe(4);
  expect(await open()).toEqual({ critical: 1, high: 2, medium: 0, low: 1 });
});

test('a repeated finding keeps its row and first date, and gets its new line', async () => {
  await scan([finding('a')]);
  const [before] = await db.query(`select id, first_seen_at from finding where repository_id = $1`, [
    ids.repositoryId,
  ]);
  const change = await scan([
    finding('a', { startLine: 9, endLine: 9, severity: 'critical', commit: 'b'.repeat(40) }),
  ]);
  expect(change).toEqual({ opened: [], reopened: [], fixed: [], open: 1 });
  const [after] = await db.query(
    `select id, first_seen_at, start_line, commit, last_seen_at > first_seen_at as later from finding
     where repository_id = $1`,
    [ids.repositoryId],
  );
  expect(after).toEqual({ ...before, start_line: 9, commit: 'b'.repeat(40), later: true });
  expect(await open()).toMatchObject({ critical: 1, high: 0 });
});

test('an absent finding is fixed and not counted; if it returns, it is open again', async () => {
  await scan([finding('a'), finding('b')]);
  const gone = await scan([finding('a')]);
  expect(gone.fixed).toHaveLength(1);
  expect(gone.open).toBe(1);
  expect(await statuses()).toEqual(['a open', 'b fixed']);
  const back = await scan([finding('a'), finding('b')]);
  expect(back.reopened.map(({ id }) => id)).toEqual(gone.fixed.map(({ id }) => id));
  expect(back.opened).toEqual([]);
  expect(await statuses()).toEqual(['a open', 'b open']);
  expect(back.open).toBe(2);
});

test('a finding that stays fixed is reported as fixed once', async () => {
  await scan([finding('a')]);
  expect((await scan([])).fixed).toHaveLength(1);
  expect((await scan([])).fixed).toEqual([]);
});

test('an ignored finding stays ignored when it is reported again, and is not counted', async () => {
  await scan([finding('a'), finding('b')]);
  await db.query(`update finding set status = 'ignored' where repository_id = $1 and fingerprint = 'v1:a'`, [
    ids.repositoryId,
  ]);
  const change = await scan([finding('a'), finding('b')]);
  expect(change).toMatchObject({ opened: [], reopened: [], fixed: [], open: 1 });
  expect(await statuses()).toEqual(['a ignored', 'b open']);
});

test('a scanner that failed fixes no finding', async () => {
  await scan([finding('a'), finding('c', { scanner: 'ast-grep', kind: 'code' })], {
    scanners: ['gitleaks', 'ast-grep'],
  });
  const change = await scan([], { scanners: ['ast-grep'] });
  expect(change.fixed).toHaveLength(1);
  expect(await statuses()).toEqual(['a open', 'c fixed']);
});

test('a scan of the head leaves findings of the history open; a scan of the history may fix them', async () => {
  const past = { atHead: false };
  await scan([finding('a', past), finding('old', past)], { full: true });
  expect((await scan([])).fixed).toEqual([]);
  expect(await statuses()).toEqual(['a open', 'old open']);
  expect((await scan([finding('a', past)], { full: true })).fixed).toHaveLength(1);
  expect(await statuses()).toEqual(['a open', 'old fixed']);
});

test('a code flaw that a history scan found is fixed by a scan of the head', async () => {
  const scanners = ['gitleaks', 'ast-grep'];
  const code = { scanner: 'ast-grep', kind: 'code' } as const;
  await scan([finding('a', { atHead: false }), finding('c', code)], { full: true, scanners });
  expect((await scan([], { scanners })).fixed).toHaveLength(1);
  expect(await statuses()).toEqual(['a open', 'c fixed']);
});

test('a finding of the head is fixed by a scan of the head, although a history scan found it too', async () => {
  await scan([finding('a')]);
  await scan([finding('a')], { full: true });
  expect((await scan([])).fixed).toHaveLength(1);
});

test('a fixed finding stays fixed while only old commits hold it, and is back if a new commit adds it', async () => {
  const introduced = { commit: 'b'.repeat(40), author: 'Kim', at: '2026-01-02T00:00:00.000Z' };
  const past = { atHead: false, introduced };
  await scan([finding('a')]);
  await scan([]);
  expect((await scan([finding('a', past)], { full: true })).reopened).toEqual([]);
  expect(await statuses()).toEqual(['a fixed']);
  const again = { ...past, introduced: { ...introduced, commit: 'd'.repeat(40) } };
  expect((await scan([finding('a', again)])).reopened).toHaveLength(1);
  expect(await statuses()).toEqual(['a open']);
});

test('the commit that introduced a finding is kept once it is known', async () => {
  const introduced = { commit: 'b'.repeat(40), author: 'Kim', at: '2026-01-02T00:00:00.000Z' };
  const commitOf = async () => {
    const [row] = await db.query<{ id: string }>(`select id from finding where repository_id = $1`, [
      ids.repositoryId,
    ]);
    return db.database.stores.findingViews.find(row?.id ?? '');
  };
  await scan([finding('a')]);
  expect(await commitOf()).toMatchObject({
    commit: 'a'.repeat(40),
    author: 'Jane',
    placeCommit: 'a'.repeat(40),
  });
  await scan([finding('a', { introduced })], { full: true });
  await scan([finding('a', { commit: 'c'.repeat(40) })]);
  await scan([finding('a', { introduced: { ...introduced, commit: 'e'.repeat(40), author: 'Robin' } })]);
  expect(await commitOf()).toMatchObject({
    commit: 'b'.repeat(40),
    author: 'Kim',
    placeCommit: 'a'.repeat(40),
  });
});

test('a finding has the time when it appeared at the head or disappeared from it, also an ignored one', async () => {
  await scan([finding('a'), finding('b')]);
  await db.query(`update finding set status = 'ignored' where repository_id = $1 and fingerprint = 'v1:b'`, [
    ids.repositoryId,
  ]);
  const heads = () =>
    db.query(
      `select fingerprint, at_head, status, head_changed_at = last_seen_at as unchanged from finding
       where repository_id = $1 order by fingerprint`,
      [ids.repositoryId],
    );
  await scan([]);
  expect(await heads()).toEqual([
    { fingerprint: 'v1:a', at_head: false, status: 'fixed', unchanged: false },
    { fingerprint: 'v1:b', at_head: false, status: 'ignored', unchanged: false },
  ]);
});

test('the same fingerprint in two repositories is two findings', async () => {
  await scan([finding('a')]);
  const other = await seedRepository(db.database);
  const { change } = await seedScan(db.database, { ...other, findings: [finding('a')] });
  expect(change.opened).toHaveLength(1);
  expect(await statuses()).toEqual(['a open']);
});

test('a fingerprint that a report names twice is stored once', async () => {
  const change = await scan([finding('a'), finding('a', { startLine: 8, endLine: 8 })]);
  expect(change.opened).toHaveLength(1);
  expect(change.open).toBe(1);
});

test('a thousand findings take one statement, and a scan without findings takes none', async () => {
  const many = Array.from({ length: 1_000 }, (_, index) => finding(`f${index}`));
  expect((await scan(many)).opened).toHaveLength(1_000);
  expect((await scan([])).fixed).toHaveLength(1_000);
});

test('text that PostgreSQL cannot store does not lose the scan', async () => {
  const change = await scan([
    finding('nul', { path: 'a\u0000b.env', excerpt: 'KEY=\u0000', author: 'J\u0000', title: 'x\u0000' }),
    finding('surrogate', { path: 'a\udc80b.env' }),
  ]);
  expect(change.opened).toHaveLength(2);
});

test('an outdated attempt stores nothing of its transaction', async () => {
  const { scans } = db.database.stores;
  const id = await scans.requestScan({ repositoryId: ids.repositoryId, full: false, now: NOW });
  const late = await scans.begin({ id, now: NOW });
  await scans.begin({ id, now: NOW });
  const storing = db.database.transaction(async (tx) => {
    await tx.findings.store({
      ...ids,
      scanId: id,
      findings: [finding('late')],
      searched: [{ scanner: 'gitleaks', ruleIds: ['generic-api-key'], unreadPaths: [] }],
      wholeHistory: false,
      now: NOW,
    });
    const ended = await tx.scans.end({
      id,
      attempt: late?.attempt ?? 0,
      status: 'succeeded',
      outcome: 'findings',
      cause: null,
      commit: null,
      cloneBytes: null,
      cloneMs: null,
      now: NOW,
    });
    if (ended === null) throw new Error('fenced');
  });
  await expect(storing).rejects.toThrow('fenced');
  expect(await rows()).toEqual([]);
});

test('a failed scan leaves the known head and rules unchanged', async () => {
  await scan([finding('a')]);
  const { scans, findings } = db.database.stores;
  const scanId = await scans.requestScan({ repositoryId: ids.repositoryId, full: false, now: NOW });
  const now = minutesLater(500);
  await findings.markScanned({ ...ids, scanId, commit: null, rules: null, succeeded: false, now });
  expect(await db.database.stores.repositories.find(ids.repositoryId)).toMatchObject({
    headCommit: 'a'.repeat(40),
    scannedRules: 'sha256:one',
    lastScanId: scanId,
    checkedAt: now,
  });
});
