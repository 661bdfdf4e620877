import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { finding, listed, minutesLater, NOW, seedIntegration, seedRepositories, seedScan } from './seed.ts';

let db: TestDatabase;
let integrationId: string;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(async () => {
  await db.drop();
});

beforeEach(async () => {
  integrationId = await seedIntegration(db.database);
});

const listing = () => db.database.stores.listing;

const versions = () =>
  db.query(
    `select gitlab_project_id, xmin::text, xmax::text, ctid::text from repository where integration_id = $1 order by 1`,
    [integrationId],
  );

/** SQL statements that are sent to the server. */
async function countingStatements<T>(work: () => Promise<T>): Promise<{ count: number; result: T }> {
  const query = jest.spyOn(pg.Client.prototype, 'query');
  try {
    const result = await work();
    return { count: query.mock.calls.length, result };
  } finally {
    query.mockRestore();
  }
}

const states = async () =>
  (
    await db.query<{ id: string; state: string }>(
      `select gitlab_project_id::text as id, state from repository where integration_id = $1 order by gitlab_project_id`,
      [integrationId],
    )
  ).map(({ id, state }) => `${id} ${state}`);

test('a page without changes writes no row', async () => {
  const page = [listed(1), listed(2, { defaultBranch: null, lastActivityAt: null }), listed(3)];
  await listing().upsertPage({ integrationId, repositories: page, now: NOW });
  const before = await versions();
  const changes = await listing().upsertPage({ integrationId, repositories: page, now: minutesLater(5) });
  expect(changes).toEqual([]);
  expect(await versions()).toEqual(before);
});

test('a page takes one statement, however many rows it has', async () => {
  const page = Array.from({ length: 100 }, (_, index) => listed(index + 1));
  const { count, result } = await countingStatements(() =>
    listing().upsertPage({ integrationId, repositories: page, now: NOW }),
  );
  expect(result).toHaveLength(100);
  expect(count).toBe(1);
});

interface PlanNode {
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

/** The number of table rows that these statements read. */
async function rowsRead(work: () => Promise<unknown>): Promise<number> {
  const query = jest.spyOn(pg.Client.prototype, 'query');
  let calls: unknown[][];
  try {
    await work();
    calls = query.mock.calls.map((call) => [...call]);
  } finally {
    query.mockRestore();
  }
  const countRows = ({ Plans = [], ...node }: PlanNode): number =>
    (node['Relation Name'] === 'repository'
      ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
      : 0) + Plans.reduce((sum, plan) => sum + countRows(plan), 0);
  let rows = 0;
  for (const [text, values] of calls) {
    const explained = await db.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `explain (analyze, format json) ${String(text)}`,
      values as unknown[],
    );
    rows += countRows(
      explained[0]?.['QUERY PLAN'][0].Plan ?? { 'Actual Rows': Number.NaN, 'Actual Loops': 1 },
    );
  }
  return rows;
}

test('a page of an integration that is new to the query planner reads only its own rows', async () => {
  const pages = Array.from({ length: 20 }, (_, page) =>
    Array.from({ length: 100 }, (_, index) => listed(page * 100 + index + 1)),
  );
  const fill = async (id: string) => {
    for (const repositories of pages)
      await listing().upsertPage({ integrationId: id, repositories, now: NOW });
  };
  await fill(integrationId);
  await db.query('analyze repository');
  const unknown = await seedIntegration(db.database);
  await fill(unknown);
  const page = pages[9] ?? [];
  const listedIds = page.map(({ gitlabProjectId }) => gitlabProjectId);
  const upserted = await rowsRead(() =>
    listing().upsertPage({ integrationId: unknown, repositories: page, now: NOW }),
  );
  expect(upserted).toBeLessThanOrEqual(page.length);
  const [after, upTo] = [(listedIds[0] ?? 1) - 1, listedIds.at(-1) ?? null];
  const passed = await rowsRead(() =>
    listing().markMissed({ integrationId: unknown, syncId: 'syn_7', after, upTo, listedIds }),
  );
  expect(passed).toBeLessThanOrEqual(page.length);
});

test('a listing is split at every n-th row, and after the last known one', async () => {
  const page = [3, 5, 8, 13, 21].map((id) => listed(id));
  await listing().upsertPage({ integrationId, repositories: page, now: NOW });
  expect(await listing().everyNthProjectId({ integrationId, step: 2 })).toEqual([5, 13, 21]);
  expect(await listing().everyNthProjectId({ integrationId, step: 5 })).toEqual([21]);
});

test('an empty page sends no query', async () => {
  const { count, result } = await countingStatements(() =>
    listing().upsertPage({ integrationId, repositories: [], now: NOW }),
  );
  expect(result).toEqual([]);
  expect(count).toBe(0);
});

test('only a changed row is written, and the change contains the previous values', async () => {
  const [, renamed] = await seedRepositories(db.database, integrationId, [1, 2, 3]);
  const before = await versions();
  const changes = await listing().upsertPage({
    integrationId,
    repositories: [
      listed(1),
      listed(2, {
        fullPath: 'acme/new-name',
        state: 'excluded',
        archived: true,
        excludedBecause: 'archived',
      }),
      listed(3),
    ],
    now: minutesLater(5),
  });
  expect(changes).toEqual([
    {
      id: renamed,
      fullPath: 'acme/new-name',
      oldPath: 'acme/project-2',
      state: 'excluded',
      oldState: 'active',
      excludedBecause: 'archived',
    },
  ]);
  const after = await versions();
  expect([after[0], after[2]]).toEqual([before[0], before[2]]);
});

test('a renamed repository stays the same one, and the same ID at two integrations is two', async () => {
  const [id] = await seedRepositories(db.database, integrationId, [7]);
  const other = await seedIntegration(db.database);
  const [otherId] = await seedRepositories(db.database, other, [7]);
  expect(otherId).not.toBe(id);
  const [change] = await listing().upsertPage({
    integrationId,
    repositories: [listed(7, { fullPath: 'moved/here' })],
    now: NOW,
  });
  expect(change?.id).toBe(id);
});

test('an ID of more than 32 bits is stored unchanged', async () => {
  await seedRepositories(db.database, integrationId, [9_007_199_254_740_991]);
  expect(await listing().knownProjectIds(integrationId)).toEqual([9_007_199_254_740_991]);
});

test('an ID that a page names twice is one row with the last values', async () => {
  const changes = await listing().upsertPage({
    integrationId,
    repositories: [listed(5, { fullPath: 'acme/first' }), listed(5, { fullPath: 'acme/second' })],
    now: NOW,
  });
  expect(changes.map(({ fullPath }) => fullPath)).toEqual(['acme/second']);
});

test('marks the rows of the range that were not listed as missed, and no others', async () => {
  await seedRepositories(db.database, integrationId, [10, 20, 30, 40, 50]);
  const other = await seedIntegration(db.database);
  await seedRepositories(db.database, other, [20]);
  await listing().markMissed({ integrationId, syncId: 'syn_1', after: 10, upTo: 40, listedIds: [30] });
  const { known, vanished } = await listing().vanished({ integrationId, syncId: 'syn_1' });
  expect(known).toBe(5);
  expect(vanished.map(({ gitlabProjectId }) => gitlabProjectId).sort((a, b) => a - b)).toEqual([20, 40]);
  expect((await listing().vanished({ integrationId: other, syncId: 'syn_1' })).vanished).toEqual([]);
});

test('the last page marks everything after it as missed', async () => {
  await seedRepositories(db.database, integrationId, [10, 20, 30]);
  await listing().markMissed({ integrationId, syncId: 'syn_2', after: 10, upTo: null, listedIds: [] });
  const { vanished } = await listing().vanished({ integrationId, syncId: 'syn_2' });
  expect(vanished.map(({ gitlabProjectId }) => gitlabProjectId).sort((a, b) => a - b)).toEqual([20, 30]);
});

test('rows that one sync missed do not count as missed by the next', async () => {
  await seedRepositories(db.database, integrationId, [1, 2]);
  await listing().markMissed({ integrationId, syncId: 'syn_3', after: 0, upTo: null, listedIds: [1] });
  expect((await listing().vanished({ integrationId, syncId: 'syn_4' })).vanished).toEqual([]);
});

test('a missed row that is listed again is not missed, even if nothing else changed', async () => {
  await seedRepositories(db.database, integrationId, [1, 2]);
  await listing().markMissed({ integrationId, syncId: 'syn_5', after: 0, upTo: null, listedIds: [1] });
  await listing().upsertPage({ integrationId, repositories: [listed(2)], now: minutesLater(1) });
  expect((await listing().vanished({ integrationId, syncId: 'syn_5' })).vanished).toEqual([]);
});

test('the fingerprint of a removal is the same for the same rows, and differs for others', async () => {
  await seedRepositories(db.database, integrationId, [1, 2, 3]);
  const fingerprintOf = async (syncId: string, listedIds: number[]) => {
    await listing().markMissed({ integrationId, syncId, after: 0, upTo: null, listedIds });
    return (await listing().vanished({ integrationId, syncId })).fingerprint;
  };
  const first = await fingerprintOf('syn_a', [1]);
  expect(first).not.toBeNull();
  expect(await fingerprintOf('syn_b', [1])).toBe(first);
  expect(await fingerprintOf('syn_c', [1, 2])).not.toBe(first);
  await listing().upsertPage({ integrationId, repositories: [listed(3)], now: NOW });
  expect(await fingerprintOf('syn_d', [1, 2, 3])).toBeNull();
});

test('missing and removed rows do not count as known, and a listing brings them back', async () => {
  const [one, two] = await seedRepositories(db.database, integrationId, [1, 2, 3]);
  await listing().markMissing({ ids: [`${one}`], now: NOW });
  await listing().markRemoved({ ids: [`${two}`], now: NOW });
  expect(await listing().knownProjectIds(integrationId)).toEqual([3]);
  expect(await states()).toEqual(['1 missing', '2 removed', '3 active']);
  const changes = await listing().upsertPage({
    integrationId,
    repositories: [listed(1), listed(2), listed(3)],
    now: minutesLater(1),
  });
  expect(changes.map(({ oldState }) => `${oldState}`).sort((a, b) => a.localeCompare(b))).toEqual([
    'missing',
    'removed',
  ]);
  expect(await states()).toEqual(['1 active', '2 active', '3 active']);
});

test('a removed repository has no open finding, no queued scan and no counter', async () => {
  const [repositoryId] = await seedRepositories(db.database, integrationId, [1]);
  const id = `${repositoryId}`;
  await seedScan(db.database, { integrationId, repositoryId: id, findings: [finding('a'), finding('b')] });
  const scanId = await db.database.stores.scans.requestScan({ repositoryId: id, full: false, now: NOW });
  await listing().markRemoved({ ids: [id], now: minutesLater(1) });
  expect(await db.database.stores.scans.find(scanId)).toMatchObject({
    status: 'canceled',
    cause: 'repository_gone',
    finishedAt: minutesLater(1),
  });
  expect(await db.query('select distinct status from finding where repository_id = $1', [id])).toEqual([
    { status: 'removed' },
  ]);
  expect((await db.database.stores.repositories.findView(id))?.open).toEqual({
    critical: 0,
    high: 0,
    medium: 0,
    low: 0,
  });
});

test('an unreachable repository is excluded with its reason and does not count as missed', async () => {
  const [id] = await seedRepositories(db.database, integrationId, [1]);
  await listing().markMissed({ integrationId, syncId: 'syn_6', after: 0, upTo: null, listedIds: [] });
  await listing().markAccessTooLow({ ids: [`${id}`], now: NOW });
  expect(await db.database.stores.repositories.findView(`${id}`)).toMatchObject({
    state: 'excluded',
    excludedBecause: 'access_too_low',
  });
  expect((await listing().vanished({ integrationId, syncId: 'syn_6' })).vanished).toEqual([]);
});
