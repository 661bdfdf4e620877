/** IDs in `(after, upTo]` that are still to be listed; `upTo` null = no upper bound. */
export interface IdRange {
  after: number;
  upTo: number | null;
}

/**
 * The ranges between these IDs, ascending. The last ID must be the highest known one, because the last range has
 * no upper bound and cannot be split: it is only for new projects.
 */
export function rangesBetween(cuts: readonly number[]): IdRange[] {
  return [0, ...cuts].map((after, index) => ({ after, upTo: cuts[index] ?? null }));
}

/** The rows of one page, and the ID range that they cover completely. */
export interface WalkedPage<Row> {
  rows: readonly Row[];
  after: number;
  /** The IDs in `(after, upTo]` are covered; `null` = all above `after`. */
  upTo: number | null;
}

interface Walker<Row> {
  /** Rows with IDs above `after`, ascending; empty = there are no more. */
  readPage: (after: number) => Promise<readonly Row[]>;
  idOf: (row: Row) => number;
  /** Rows of a full page. */
  pageSize: number;
  /**
   * The last page of the whole listing, ascending. It is full unless the listing is shorter. A walk that may be
   * long reads it once, together with the first page. `null` if GitLab cannot serve it; then the walk is sequential.
   */
  readEnd: () => Promise<readonly Row[] | null>;
  /** Stores one page. Pages of different ranges arrive concurrently. */
  storePage: (page: WalkedPage<Row>) => Promise<void>;
  /** The row count of the last listing; `null` before the first one. */
  expected: number | null;
  /** The limit of ranges that are read concurrently now. */
  window: { size(): number; recordAnswer(tookMs: number): void };
  signal: AbortSignal;
}

/** A listing that had at most this many rows is walked sequentially, in ⌈rows / page⌉ + 1 requests. */
const MAX_SEQUENTIAL_ROWS = 1_000;
/** The number of pages after which such a walk is split after all. */
const SEQUENTIAL_PAGES = 12;
/** A range with fewer estimated pages is not split. */
const MIN_PAGES_TO_SPLIT = 2;

interface Lane {
  /** `after` is the last stored ID; nothing up to it is read again. */
  range: IdRange;
  /** The last ID that was read; its page may still be being stored. A split begins after it. */
  readTo: number;
  /** Resolves when the last page of this lane is stored. */
  storing: Promise<void>;
  /** Rows per ID, estimated from the last page. */
  density: number;
  pageRows: number;
}

/**
 * Walks a keyset listing to its end. A long listing is split into ID ranges that are read concurrently; a free
 * lane takes half of the range with the most estimated rows left. Ranges are disjoint, so nothing is listed twice.
 * A project that is created meanwhile has a higher ID, so the last range, without an upper bound, contains it.
 *
 * `ranges` holds what is left to read. It is changed in place, so that a retry resumes from it.
 */
export async function walkListing<Row>(ranges: IdRange[], walker: Walker<Row>): Promise<void> {
  const stores = new Set<Promise<void>>();
  try {
    await walkRanges({ ranges, walker, stores });
    await Promise.all(stores);
  } finally {
    // pages that were read are stored even if the walk failed
    await Promise.allSettled(stores);
  }
}

async function walkRanges<Row>({ ranges, walker, stores }: WalkState<Row>): Promise<void> {
  const lanes = ranges.map((range) => laneOf(range));
  const [first] = lanes;
  if (first !== undefined && lanes.length === 1 && first.range.upTo === null) {
    for (let page = 1; page < sequentialPages(walker.expected) || isShort(first, page, walker); page += 1) {
      if (await readNextPage({ lane: first, ranges, walker, stores })) return;
    }
    const [ended, end] = await Promise.all([
      readNextPage({ lane: first, ranges, walker, stores }),
      walker.readEnd(),
    ]);
    if (ended) return;
    if (end !== null) await storeLastPage(end, { lanes, first, ranges, walker, stores });
  }
  await walkConcurrently({ lanes, ranges, walker, stores });
}

/** A page that is not full is the last one with rows, so there is nothing to split. */
function isShort<Row>({ pageRows }: Lane, page: number, { pageSize }: Walker<Row>): boolean {
  return page > 1 && pageRows < pageSize;
}

function sequentialPages(expected: number | null): number {
  return expected !== null && expected <= MAX_SEQUENTIAL_ROWS ? SEQUENTIAL_PAGES : 1;
}

function laneOf(
  range: IdRange,
  like: { density: number; pageRows: number } = { density: 1, pageRows: 0 },
): Lane {
  const { density, pageRows } = like;
  return { range, readTo: range.after, storing: Promise.resolve(), density, pageRows };
}

interface WalkState<Row> {
  ranges: IdRange[];
  walker: Walker<Row>;
  /** Pages that are being stored. */
  stores: Set<Promise<void>>;
}

/**
 * Stores the last page and splits the range before it. A further range covers projects that are created meanwhile.
 * If the last page continues the first one, nothing is left between them.
 */
async function storeLastPage<Row>(
  end: readonly Row[],
  parts: WalkState<Row> & { lanes: Lane[]; first: Lane },
): Promise<void> {
  const { lanes, first, ranges, walker } = parts;
  const ids = end.map((row) => walker.idOf(row));
  const [from = 0] = ids;
  const top = ids.at(-1) ?? 0;
  if (from <= first.readTo + 1) {
    const rows = end.filter((row) => walker.idOf(row) > first.readTo);
    await storePage({ ...parts, lane: first, rows, upTo: null, ended: true });
    lanes.splice(lanes.indexOf(first), 1);
    return;
  }
  first.range.upTo = from - 1;
  for (const range of evenParts(first, walker)) {
    ranges.push(range);
    lanes.push(laneOf(range, first));
  }
  const last: IdRange = { after: from - 1, upTo: top };
  const rest: IdRange = { after: top, upTo: null };
  ranges.push(last, rest);
  lanes.push(laneOf(rest, { ...first, density: 0 }));
  await storePage({ ...parts, lane: laneOf(last), rows: end, upTo: top, ended: true });
}

/**
 * Splits a range into equal parts, at most as many as may be read concurrently. The lane keeps the first part.
 * @returns the others
 */
function evenParts<Row>(lane: Lane, { window }: Walker<Row>): IdRange[] {
  const { range, readTo } = lane;
  if (range.upTo === null) return [];
  const pages = estimatedRowsLeft(lane) / Math.max(1, lane.pageRows);
  const count = Math.max(1, Math.min(window.size(), Math.floor(pages / MIN_PAGES_TO_SPLIT)));
  const width = (range.upTo - readTo) / count;
  const cuts = Array.from({ length: count }, (_, index) => readTo + Math.round(width * (index + 1)));
  range.upTo = cuts[0] ?? range.upTo;
  return cuts.slice(1).map((upTo, index) => ({ after: cuts[index] ?? readTo, upTo }));
}

async function walkConcurrently<Row>(input: WalkState<Row> & { lanes: Lane[] }): Promise<void> {
  const { lanes, walker } = input;
  const running = new Map<Lane, Promise<void>>();
  const waiting = [...lanes];
  let failure: { reason: unknown } | null = null;

  const run = async (lane: Lane): Promise<void> => {
    try {
      const ended = await readNextPage({ ...input, lane });
      if (!ended) waiting.unshift(lane);
    } catch (err) {
      failure ??= { reason: err };
    } finally {
      running.delete(lane);
    }
  };

  for (;;) {
    while (failure === null && running.size < walker.window.size()) {
      const lane = nextLane({ ...input, waiting, running: [...running.keys()] });
      if (lane === null) break;
      running.set(lane, run(lane));
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  // assigned by the lanes above, which the compiler does not see
  const failed = failure as { reason: unknown } | null;
  if (failed !== null) throw failed.reason;
}

/** Takes the range without an upper bound last, so that it includes projects created meanwhile. */
function nextLane<Row>(input: WalkState<Row> & { waiting: Lane[]; running: readonly Lane[] }): Lane | null {
  const { waiting } = input;
  const closed = waiting.findIndex(({ range }) => range.upTo !== null);
  if (closed !== -1) return waiting.splice(closed, 1)[0] ?? null;
  return splitWidestLane(input) ?? waiting.shift() ?? null;
}

/** The estimated number of rows left in a lane. */
function estimatedRowsLeft({ range, readTo, density }: Lane): number {
  return range.upTo === null ? 0 : (range.upTo - readTo) * density;
}

/**
 * Rows per ID within a page; `null` if the page has fewer than two rows. The gap to the previous page is not
 * counted.
 */
function densityOf<Row>(page: readonly Row[], { idOf }: Walker<Row>): number | null {
  const [first, last] = [page.at(0), page.at(-1)];
  if (first === undefined || last === undefined || page.length < 2) return null;
  return page.length / (idOf(last) - idOf(first) + 1);
}

/** Takes half of the range with the most estimated rows left, as a new lane; `null` if none is worth splitting. */
function splitWidestLane<Row>({
  running,
  ranges,
}: WalkState<Row> & { running: readonly Lane[] }): Lane | null {
  const longest = running.toSorted((one, other) => estimatedRowsLeft(other) - estimatedRowsLeft(one))[0];
  if (
    longest === undefined ||
    estimatedRowsLeft(longest) < MIN_PAGES_TO_SPLIT * Math.max(1, longest.pageRows)
  )
    return null;
  const { range } = longest;
  if (range.upTo === null) return null;
  const middle = Math.floor((longest.readTo + range.upTo) / 2);
  const half: IdRange = { after: middle, upTo: range.upTo };
  range.upTo = middle;
  ranges.push(half);
  return laneOf(half, longest);
}

/**
 * Reads one page of a range and hands it to the store, which stores it while the next page is read. Each range has
 * at most one page request at a time.
 * @returns whether the end of the range was reached
 */
async function readNextPage<Row>({
  lane,
  ranges,
  walker,
  stores,
}: WalkState<Row> & { lane: Lane }): Promise<boolean> {
  const { range } = lane;
  walker.signal.throwIfAborted();
  const after = lane.readTo;
  const startedMs = performance.now();
  const page = await walker.readPage(after);
  walker.window.recordAnswer(performance.now() - startedMs);
  // a split may have moved the upper bound meanwhile: rows above it belong to another lane
  const { upTo } = range;
  const rows = upTo === null ? page : page.filter((row) => walker.idOf(row) <= upTo);
  const last = page.at(-1);
  const lastId = last === undefined ? null : walker.idOf(last);
  const ended = lastId === null || (upTo !== null && lastId >= upTo);
  lane.pageRows = Math.max(lane.pageRows, page.length);
  lane.density = densityOf(page, walker) ?? lane.density;
  await storePage({ ranges, walker, stores, lane, rows, upTo: ended ? upTo : lastId, ended });
  return ended;
}

interface PageToStore<Row> extends WalkState<Row> {
  lane: Lane;
  rows: readonly Row[];
  /** The highest ID that these rows cover; `null` = no upper bound. */
  upTo: number | null;
  /** Whether the range ends with these rows. */
  ended: boolean;
}

/**
 * Stores rows after the previous ones of the lane. A range that could not be stored stays in `ranges` and is read
 * again.
 */
async function storePage<Row>({
  lane,
  rows,
  upTo,
  ended,
  ranges,
  walker,
  stores,
}: PageToStore<Row>): Promise<void> {
  const { range, readTo: after } = lane;
  lane.readTo = upTo ?? after;
  await lane.storing;
  lane.storing = walker.storePage({ rows, after, upTo }).then(() => {
    stores.delete(lane.storing);
    if (ended) ranges.splice(ranges.indexOf(range), 1);
    else range.after = upTo ?? after;
  });
  lane.storing.catch(() => {}); // awaited, and thrown, by the next page or the end of the walk
  stores.add(lane.storing);
}
