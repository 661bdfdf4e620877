import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ListInput } from '../../src/db/list-query.ts';
import { newId } from '../../src/db/new-id.ts';
import type { Page } from '../../src/db/rows.ts';
import { encodeCursor } from '../../src/db/rows.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { finding, listed, minutesLater, NOW, seedIntegration, seedRepositories, seedScan } from './seed.ts';

/** The rows of each list: two full pages of three, plus one. */
const ROWS = 7;
const LIMIT = 3;

let db: TestDatabase;
let integrationId: string;
let repositoryId: string;

beforeAll(async () => {
  db = await createTestDatabase();
  integrationId = await seedIntegration(db.database, { name: 'Main' });
  for (let index = 1; index < ROWS; index += 1)
    await seedIntegration(db.database, { name: `Name ${index % 3} ${index}` });
  const ids = await seedRepositories(
    db.database,
    integrationId,
    Array.from({ length: ROWS }, (_, index) =>
      listed(index + 1, {
        // equal times, missing ones, and fractions that a cursor must preserve
        lastActivityAt:
          [null, '2026-02-01T08:00:00.123456Z', '2026-02-01T08:00:00.123457Z'][index % 3] ?? null,
        fullPath: `acme/${['Übung', 'ubung', 'a_b'][index % 3]}-${index}`,
      }),
    ),
  );
  repositoryId = `${ids[0]}`;
  for (let index = 0; index < ROWS; index += 1) {
    await seedScan(db.database, {
      integrationId,
      repositoryId,
      now: minutesLater(index % 2),
      findings: Array.from({ length: ROWS }, (_, number) =>
        finding(`f${number}`, {
          severity: (['high', 'low', 'critical'] as const)[number % 3] ?? 'low',
          path: `same/${number % 2}`,
        }),
      ),
    });
    await db.database.stores.events.add(
      [{ kind: 'sync.finished', integrationId, actor: 'system', text: `event ${index}` }],
      NOW,
    );
    await db.database.stores.apiKeys.add({
      name: 'same name',
      role: 'viewer',
      hash: newId('apiKey'),
      lastFour: 'abcd',
      source: 'api',
      expiresAt: null,
      now: NOW,
    });
    const { id } = await db.database.stores.syncs.open({ integrationId, trigger: 'manual', now: NOW });
    await db.query(`update sync_run set state = 'done' where id = $1`, [id]);
  }
});

afterAll(async () => {
  await db.drop();
});

type List = (input: ListInput) => Promise<Page<{ id: string }>>;

const lists: Record<string, { list: List; sorts: string[] }> = {
  integrations: {
    list: (input) => db.database.stores.integrationViews.list({}, input),
    sorts: ['createdAt', 'name'],
  },
  repositories: {
    list: (input) => db.database.stores.repositories.list({ integrationId: [integrationId] }, input),
    sorts: ['fullPath', 'createdAt', 'lastActivityAt'],
  },
  scans: { list: (input) => db.database.stores.scanViews.list(repositoryId, input), sorts: ['queuedAt'] },
  findings: {
    list: (input) => db.database.stores.findingViews.list({ integrationId: [integrationId] }, input),
    sorts: ['severity', 'firstSeenAt', 'lastSeenAt', 'path'],
  },
  events: { list: (input) => db.database.stores.events.list({ audit: true }, input), sorts: ['at'] },
  syncs: { list: (input) => db.database.stores.syncs.list(integrationId, input), sorts: ['createdAt'] },
  apiKeys: { list: (input) => db.database.stores.apiKeys.list(input), sorts: ['createdAt'] },
};

async function walk(list: List, sort: string | undefined): Promise<string[][]> {
  const pages: string[][] = [];
  for (let cursor: string | null = null; ; ) {
    const page: Page<{ id: string }> = await list({ limit: LIMIT, cursor, sort });
    pages.push(page.items.map(({ id }) => id));
    if (page.nextCursor === null) return pages;
    cursor = page.nextCursor;
  }
}

const cases = Object.entries(lists).flatMap(([name, { sorts }]) =>
  sorts.flatMap((sort) => [sort, `-${sort}`].map((each) => [name, each] as const)),
);

describe.each(cases)('%s by %s', (name, sort) => {
  const { list } = lists[name] ?? { list: () => Promise.reject(new Error(name)) };

  test('returns every row once over three pages, in the order of one large page', async () => {
    const pages = await walk(list, sort);
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
    const whole = await list({ limit: 200, cursor: null, sort });
    expect(pages.flat()).toEqual(whole.items.map(({ id }) => id));
    expect(new Set(pages.flat()).size).toBe(ROWS);
    expect(whole.nextCursor).toBeNull();
  });

  test('is reversed by "-"', async () => {
    const opposite = sort.startsWith('-') ? sort.slice(1) : `-${sort}`;
    const ids = async (by: string) =>
      (await list({ limit: 200, cursor: null, sort: by })).items.map(({ id }) => id);
    expect(await ids(opposite)).toEqual((await ids(sort)).reverse());
  });

  test('refuses a cursor of another sort, or with a value of another type', async () => {
    const refuses = (cursor: string) =>
      expect(list({ limit: LIMIT, cursor, sort })).rejects.toMatchObject({ code: 'invalid_request' });
    await refuses(encodeCursor(['another', 'x', 'y']));
    await refuses(encodeCursor([sort, 'x']));
    await refuses(encodeCursor([sort, 7, 'y']));
  });
});

test.each(Object.keys(lists))('a list of %s refuses an invalid cursor and an unknown field', async (name) => {
  const list = lists[name]?.list ?? (() => Promise.reject(new Error(name)));
  const refuses = (input: Partial<ListInput>) =>
    expect(list({ limit: LIMIT, cursor: null, ...input })).rejects.toMatchObject({ code: 'invalid_request' });
  for (const cursor of ['nonsense', '', '%%%', Buffer.from('{"a":1}').toString('base64url'), 'bnVsbA']) {
    await refuses({ cursor });
  }
  for (const sort of ['nothing', '--createdAt', 'constructor', '__proto__', 'id; drop table event']) {
    await refuses({ sort });
  }
});

test.each([
  ['repositories', 'lastActivityAt', 'not a date'],
  ['findings', 'severity', 'high'],
  ['findings', 'firstSeenAt', '2026-13-45'],
  ['events', 'at', '99999999999999999999'],
])(
  'a cursor of %s by %s that holds %s is refused, not an error of the database',
  async (name, sort, value) => {
    const list = lists[name]?.list ?? (() => Promise.reject(new Error(name)));
    const cursor = encodeCursor([sort, value, 'x']);
    await expect(list({ limit: LIMIT, cursor, sort })).rejects.toMatchObject({ code: 'invalid_request' });
  },
);

test('rows that are added during pagination are not repeated and do not shift the others', async () => {
  const { list } = lists['events'] ?? { list: () => Promise.reject(new Error()) };
  const first = await list({ limit: LIMIT, cursor: null });
  await db.database.stores.events.add(
    [{ kind: 'sync.finished', integrationId, actor: 'system', text: 'meanwhile' }],
    NOW,
  );
  const rest = await list({ limit: 200, cursor: first.nextCursor });
  const ids = [...first.items, ...rest.items].map(({ id }) => id);
  expect(ids).toHaveLength(ROWS);
  expect(new Set(ids).size).toBe(ROWS);
});

test('a search treats its input as text, not as a pattern', async () => {
  const search = async (q: string) =>
    (await db.database.stores.repositories.list({ q }, { limit: 200, cursor: null })).items.length;
  expect(await search('A_B')).toBe(2);
  expect(await search('a%b')).toBe(0);
  expect(await search('\\')).toBe(0);
  expect(await search('übung')).toBe(3);
});
