import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { listingWindow } from '../../src/activities/sync/listing-window.ts';
import type { IdRange, WalkedPage } from '../../src/activities/sync/walk.ts';
import { rangesBetween, walkListing } from '../../src/activities/sync/walk.ts';

const PAGE = 10;

interface Options {
  size?: number;
  expected?: number | null;
  ranges?: IdRange[];
  /** Called before this request is answered. */
  onRequest?: (request: number, ids: Set<number>) => void | Promise<void>;
}

/** Walks these IDs on a fake server with pages of ten. */
async function walk(
  ids: Set<number>,
  { size = 4, expected = null, ranges = [{ after: 0, upTo: null }], onRequest }: Options = {},
) {
  const pages: WalkedPage<number>[] = [];
  let requests = 0;
  let atOnce = 0;
  let maxConcurrent = 0;
  await walkListing(ranges, {
    async readPage(after) {
      requests += 1;
      atOnce += 1;
      maxConcurrent = Math.max(maxConcurrent, atOnce);
      await onRequest?.(requests, ids);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      return [...ids]
        .filter((id) => id > after)
        .sort((a, b) => a - b)
        .slice(0, PAGE);
    },
    idOf: (id) => id,
    pageSize: PAGE,
    async readEnd() {
      requests += 1;
      return [...ids].sort((a, b) => a - b).slice(-PAGE);
    },
    async storePage(page) {
      for (let turns = ((page.after * 7) % 5) + 1; turns > 0; turns -= 1)
        await new Promise((resolve) => setImmediate(resolve));
      pages.push(page);
    },
    expected,
    window: { size: () => size, recordAnswer: () => {} },
    signal: new AbortController().signal,
  });
  return {
    pages,
    requests,
    maxConcurrent,
    ranges,
    met: pages.flatMap(({ rows }) => rows).sort((a, b) => a - b),
  };
}

const sparseIds = fc
  .uniqueArray(fc.nat({ max: 5_000 }), { maxLength: 400 })
  .map((ids) => new Set(ids.map((id) => id + 1)));

test('every row is read once, and every ID is covered once, for any distribution of IDs', () =>
  fc.assert(
    fc.asyncProperty(sparseIds, fc.integer({ min: 1, max: 8 }), async (ids, size) => {
      const { met, pages, ranges, maxConcurrent } = await walk(ids, { size });
      expect(met).toEqual([...ids].sort((a, b) => a - b));
      expect(ranges).toEqual([]);
      expect(maxConcurrent).toBeLessThanOrEqual(size);
      // the pages cover all IDs without gap or overlap, so none is marked missed twice or never
      const spans = pages.map(({ after, upTo }) => [after, upTo ?? Number.MAX_SAFE_INTEGER] as const);
      let end = 0;
      for (const [after, upTo] of spans.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) {
        expect(after).toBe(end);
        end = upTo;
      }
      expect(end).toBe(Number.MAX_SAFE_INTEGER);
    }),
    { numRuns: 150 },
  ));

test.each([
  [0, 1],
  [10, 2],
  [85, 10],
])(
  'a listing that had %d rows is walked sequentially, in one request per page and one more',
  async (count, requests) => {
    const ids = new Set(Array.from({ length: count }, (_, index) => index * 7 + 1));
    const observed = await walk(ids, { expected: count });
    expect([observed.requests, observed.maxConcurrent, observed.met.length]).toEqual([requests, 1, count]);
  },
);

test.each([
  [0, 2],
  [7, 2],
  [19, 2],
  [20, 4],
])('a first listing of %d rows requests both ends, then the rows between', async (count, requests) => {
  const ids = new Set(Array.from({ length: count }, (_, index) => 50_000_000 + index * 7));
  const observed = await walk(ids);
  expect([observed.requests, observed.met.length]).toEqual([requests, count]);
});

test('a long listing is read by all lanes concurrently, with few extra requests', async () => {
  const ids = new Set(Array.from({ length: 2_000 }, (_, index) => index * 13 + 1));
  const observed = await walk(ids, { size: 7 });
  expect(observed.met).toHaveLength(2_000);
  expect(observed.maxConcurrent).toBe(7);
  expect(observed.requests).toBeLessThanOrEqual(200 * 1.03 + 4 * 7);
});

test('a known long listing is split at page boundaries, and only its last request is sequential', async () => {
  const ids = Array.from({ length: 1_050 }, (_, index) => index * 13 + 1);
  const step = Math.ceil(105 / 7) * PAGE;
  const cuts = ids.filter((_, index) => (index + 1) % step === 0 || index === ids.length - 1);
  const alone: number[] = [];
  let open = 0;
  const observed = await walk(new Set(ids), {
    size: 7,
    expected: ids.length,
    ranges: rangesBetween(cuts),
    async onRequest(request) {
      open += 1;
      // by then all concurrent requests have been sent
      await new Promise((resolve) => setImmediate(resolve));
      if (open === 1) alone.push(request);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
    },
  });
  expect(observed.met).toEqual(ids);
  expect(observed.requests).toBe(105 + 1);
  expect(alone.filter((request) => request < observed.requests)).toEqual([]);
});

test('rows created during the walk are read, and removed rows do not disturb it', async () => {
  const ids = new Set(Array.from({ length: 600 }, (_, index) => index * 3 + 1));
  const { met } = await walk(ids, {
    onRequest(request, all) {
      if (request % 4 === 0) all.add(10_000 + request);
      if (request === 20) all.delete(1_501);
    },
  });
  expect(met.filter((id) => id >= 10_000).length).toBeGreaterThan(5);
  expect(new Set(met).size).toBe(met.length);
  for (const id of ids) expect(met).toContain(id);
});

test('after a failure the next attempt reads the rest, and repeats only the failed page', async () => {
  const ids = new Set(Array.from({ length: 900 }, (_, index) => index * 5 + 1));
  const ranges: IdRange[] = [{ after: 0, upTo: null }];
  const first: number[] = [];
  const failing = walkListing(ranges, {
    async readPage(after) {
      if (first.length > 400) throw new Error('the server is gone');
      return [...ids]
        .filter((id) => id > after)
        .sort((a, b) => a - b)
        .slice(0, PAGE);
    },
    idOf: (id) => id,
    pageSize: PAGE,
    readEnd: async () => [...ids].sort((a, b) => a - b).slice(-PAGE),
    storePage: async ({ rows }) => void first.push(...rows),
    expected: 10_000,
    window: { size: () => 5, recordAnswer: () => {} },
    signal: new AbortController().signal,
  });
  await expect(failing).rejects.toThrow('the server is gone');
  const remaining = JSON.parse(JSON.stringify(ranges)) as IdRange[];
  expect(remaining.length).toBeGreaterThan(2);
  const { met } = await walk(ids, { ranges: remaining });
  expect([...first, ...met].sort((a, b) => a - b)).toEqual([...ids]);
});

test("GitLab.com gets ten concurrent requests within the pacer's rate; elsewhere the response time sets the limit", () => {
  expect(listingWindow('https://gitlab.com').size()).toBe(10);
  const window = listingWindow('https://gitlab.example.com');
  const answers = (count: number, tookMs: number) => {
    for (let index = 0; index < count; index += 1) window.recordAnswer(tookMs);
  };
  expect(window.size()).toBe(2);
  answers(2, 100);
  expect(window.size()).toBe(4);
  answers(4, 110);
  expect(window.size()).toBe(8);
  answers(8, 300);
  expect(window.size()).toBe(4);
  answers(4, 100);
  expect(window.size()).toBe(5);
  for (let round = 0; round < 60; round += 1) answers(window.size(), 100);
  expect(window.size()).toBe(16);
  for (let round = 0; round < 9; round += 1) answers(window.size(), 900);
  expect(window.size()).toBe(1);
});
