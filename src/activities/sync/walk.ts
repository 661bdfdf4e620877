/** Ids in `(after, upTo]` that are still to be listed; `upTo` null = without end. */
export interface IdRange {
  after: number;
  upTo: number | null;
}

/**
 * The ranges between these ids, ascending. The last id has to be the highest that is known: the range without end, which
 * comes last and cannot be split, is then only for what is new.
 */
export function rangesBetween(cuts: readonly number[]): IdRange[] {
  return [0, ...cuts].map((after, index) => ({ after, upTo: cuts[index] ?? null }));
}

/** What one page brought to a range: rows up to its end, and where the walk of this range stands now. */
export interface WalkedPage<Row> {
  rows: readonly Row[];
  after: number;
  /** The ids in `(after, upTo]` are known by now; `null` = all above `after`. */
  upTo: number | null;
}

interface Walker<Row> {
  /** The page of rows by ascending id behind `after`; empty = there are no more. */
  readPage: (after: number) => Promise<readonly Row[]>;
  idOf: (row: Row) => number;
  /** Rows of a full page. */
  pageSize: number;
  /**
   * The page with the highest ids there are, ascending too; full, unless it holds all. Asked once, beside the first
   * page, by a walk that may turn out to be long.
   */
  readEnd: () => Promise<readonly Row[]>;
  /** Stores one page. Pages of different ranges come at once. */
  storePage: (page: WalkedPage<Row>) => Promise<void>;
  /** How many rows the last listing had; `null` before the first one. */
  expected: number | null;
  /** How many ranges may be read at once now. */
  window: { size(): number; answered(tookMs: number): void };
  signal: AbortSignal;
}

/** A listing that had no more rows is walked one page after the other, in ⌈rows / page⌉ + 1 requests. */
const MAX_SEQUENTIAL_ROWS = 1_000;
/** For how many pages a walk that expects no more than that goes on alone. */
const SEQUENTIAL_PAGES = 12;
/** A range that seems to hold fewer pages than this is not worth splitting. */
const MIN_PAGES_TO_SPLIT = 2;

interface Lane {
  /** Its `after` is what was stored; nothing before it is read again. */
  range: IdRange;
  /** What was read; the page before may still be on its way into the store. A split begins behind it. */
  readTo: number;
  /** The last page of it that was handed to the store. */
  storing: Promise<void>;
  /** Rows for each id, by what was seen last. */
  density: number;
  pageRows: number;
}

/**
 * Walks a keyset listing to its end. A long one is cut into ranges of ids that are read at once; whoever has nothing
 * to do takes half of what seems to be the longest rest. Ranges are disjoint, so nothing is listed twice, and what is
 * created meanwhile gets a higher id and is met by the last one, which has no end.
 *
 * `ranges` is what is left to do; it is changed in place, so that a later try goes on from there.
 */
export async function walkListing<Row>(ranges: IdRange[], walker: Walker<Row>): Promise<void> {
  const stores = new Set<Promise<void>>();
  try {
    await walkRanges({ ranges, walker, stores });
    await Promise.all(stores);
  } finally {
    // what was read is worth being kept, whatever ended the walk
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
    await storeLastPage(end, { lanes, first, ranges, walker, stores });
  }
  await walkConcurrently({ lanes, ranges, walker, stores });
}

/** A page that is not full is the last but the empty one: there is nothing to cut. */
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
  /** Pages that are on their way. */
  stores: Set<Promise<void>>;
}

/**
 * The last page is known: what lies before it is left to read, and what may be created meanwhile behind it. Where it
 * meets the first page nothing is.
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

/** Cuts a range into as many equal parts as may be read at once; the first stays what is left of it. */
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

/** The range without end comes last: it meets what was created meanwhile. */
function nextLane<Row>(input: WalkState<Row> & { waiting: Lane[]; running: readonly Lane[] }): Lane | null {
  const { waiting } = input;
  const closed = waiting.findIndex(({ range }) => range.upTo !== null);
  if (closed !== -1) return waiting.splice(closed, 1)[0] ?? null;
  return splitWidestLane(input) ?? waiting.shift() ?? null;
}

/** How many rows seem to be left of it. */
function estimatedRowsLeft({ range, readTo, density }: Lane): number {
  return range.upTo === null ? 0 : (range.upTo - readTo) * density;
}

/** Rows for each id within a page, whose distance to the page before says nothing; `null` where it is too short to tell. */
function densityOf<Row>(page: readonly Row[], { idOf }: Walker<Row>): number | null {
  const [first, last] = [page.at(0), page.at(-1)];
  if (first === undefined || last === undefined || page.length < 2) return null;
  return page.length / (idOf(last) - idOf(first) + 1);
}

/** Half of the longest rest that is being read, as a lane of its own; `null` where none is long enough. */
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
 * Reads one page of a range and hands it to the store, which takes it while the next one is read. One page of a range
 * is on its way at a time. @returns whether the range was read to its end
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
  walker.window.answered(performance.now() - startedMs);
  // the end may have moved while we waited: what lies behind it is another's
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
  /** To where these rows tell; `null` = to the end. */
  upTo: number | null;
  /** Whether that is the end of the range. */
  ended: boolean;
}

/** Hands rows to the store, once it has those before. A range that failed to be stored stays, to be read again. */
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
  lane.storing.catch(() => {}); // the next page or the end of the walk awaits it and throws
  stores.add(lane.storing);
}
