import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../src/db/migrate.ts';
import { startThrowawayPostgres } from '../src/embedded/postgres.ts';
import { ask, end, measured, start } from './child.ts';
import type { GitlabAnswer, GitlabInput, LaterInput } from './gitlab-program.ts';
import type { ListingAnswer, ListingInput } from './listing-program.ts';
import type { Report } from './report.ts';
import { add, newReport } from './report.ts';
import type { RowsAnswer, RowsInput } from './rows.ts';

const LATENCY_MS = 200;
/** Concurrent requests that reach GitLab.com's limit of 2,000 a minute at this latency. */
const WORKERS = 7;
/** Projects listed before the measurement, because a real worker has been running for a while. */
const WARM_UP = 1_000;
/** Any listing has to fit into this heap, whatever its length. */
const HEAP_MIB = 80;
/** Just below GitLab.com's 2,000 a minute, so that no minute exceeds the limit. */
const PER_SECOND = 33;

/** Lists ten thousand and a hundred thousand projects at GitLab.com's speed, and writes their rows. */
export async function benchListing(options: {
  quick: boolean;
  printLine: (line: string) => void;
}): Promise<Report> {
  const report = newReport('listing');
  const folder = await mkdtemp(join(tmpdir(), 'secu-bench-'));
  const postgres = await startThrowawayPostgres({ folder: join(folder, 'postgres'), options: [] });
  const database = (name: string) => newDatabase(postgres.url, name);
  const secu = start('listing-program.ts');
  try {
    const common = { secu, folder, database };
    const warmUp = { report: newReport('warm-up'), name: 'warm_up', size: WARM_UP, withPeer: false };
    await benchSize({ ...common, ...warmUp });
    const sizes = options.quick ? [1_000, 10_000] : [10_000, 100_000];
    const grown: number[] = [];
    for (const [index, size] of sizes.entries()) {
      options.printLine(`listing ${size} projects at ${LATENCY_MS} ms a page`);
      const name = `listing_${size}`;
      grown.push(await benchSize({ ...common, report, name, size, withPeer: index === 0 }));
    }
    add(report, {
      what: 'memory while listing ten times as many',
      ours: grown[1] ?? 0,
      unit: 'MiB more',
      against: { what: 'the smaller listing, and 20 MiB', value: (grown[0] ?? 0) + 20 },
      maxRatio: 1,
    });
    const count = sizes[1] ?? 0;
    options.printLine(`writing ${count} rows`);
    await benchRows({ report, input: { databaseUrl: await database('rows'), count } });
    return report;
  } finally {
    await end(secu);
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function newDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await migrate({ url: String(url) });
  return String(url);
}

interface Sized {
  report: Report;
  /** The process that lists. */
  secu: ChildProcess;
  folder: string;
  /** Part of the names of its GitLab folder and its databases. */
  name: string;
  size: number;
  /** Creates a database. @returns its address */
  database: (name: string) => Promise<string>;
  withPeer: boolean;
}

/** @returns memory growth in MiB */
async function benchSize({ report, secu, folder, name, size, database, withPeer }: Sized): Promise<number> {
  const gitlab = start('gitlab-program.ts');
  try {
    const begin: GitlabInput = {
      folder: join(folder, name),
      fleet: 0,
      copies: size,
      maxGap: 400,
      latencyMs: LATENCY_MS,
      enforceRateLimits: true,
    };
    const { url, token } = await ask<GitlabAnswer>(gitlab, begin);
    const baseUrl = `http://gitlab.com:${new URL(url).port}`;
    const databaseUrl = await database(name);
    const input: ListingInput = { databaseUrl, baseUrl, token, perSecond: PER_SECOND, what: 'sync' };
    if (withPeer) await benchPeer({ report, input, size });
    await ask<GitlabAnswer>(gitlab, later());
    const first = await ask<ListingAnswer>(secu, input);
    tell({ report, size, which: 'first', listing: first, gitlab: await ask<GitlabAnswer>(gitlab, later()) });
    const again = await ask<ListingAnswer>(secu, 'again');
    tell({
      report,
      size,
      which: 'unchanged',
      listing: again,
      gitlab: await ask<GitlabAnswer>(gitlab, later()),
    });
    add(report, {
      what: `${size}: rows written by the unchanged listing`,
      ours: again.rewritten,
      unit: '',
      against: { what: 'none', value: 0 },
      maxRatio: 1,
    });
    await ask<GitlabAnswer>(gitlab, later());
    const bounded = { ...input, databaseUrl: await database(`${name}_bounded`) };
    return (await measured<ListingAnswer>('listing-program.ts', bounded, { heapMib: HEAP_MIB })).grownMib;
  } finally {
    await end(gitlab);
  }
}

/**
 * Moves the clock by an hour, the interval of syncs, because two listings of a hundred thousand do not fit into one
 * rate limit window of ten minutes.
 */
function later(): LaterInput {
  return { laterMs: 3_600_000 };
}

function tell(input: {
  report: Report;
  size: number;
  which: string;
  listing: ListingAnswer;
  gitlab: GitlabAnswer;
}): void {
  const { report, size, which, listing, gitlab } = input;
  const pages = size / 100;
  const named = (what: string) => `${size}, ${which}: ${what}`;
  const none = { against: { what: 'none', value: 0 }, maxRatio: 1 };
  add(report, {
    what: named('time'),
    ours: listing.ms / 1_000,
    unit: 's',
    against: {
      what: `${pages} pages × ${LATENCY_MS} ms ÷ ${WORKERS}`,
      value: (pages * LATENCY_MS) / WORKERS / 1_000,
    },
    maxRatio: 1.15,
  });
  add(report, {
    what: named('requests'),
    ours: Object.values(gitlab.statuses).reduce((sum, count) => sum + count, 0),
    unit: '',
    against: { what: 'pages × 1.03 + 4 × 7', value: pages * 1.03 + 4 * WORKERS },
    maxRatio: 1,
  });
  add(report, { what: named('answered 429'), ours: gitlab.statuses['429'] ?? 0, unit: '', ...none });
  add(report, { what: named('projects not met'), ours: size - listing.listed, unit: '', ...none });
  add(report, { what: named('CPU'), ours: listing.cpuMs / 1_000, unit: 's' });
}

async function benchPeer(input: { report: Report; input: ListingInput; size: number }): Promise<void> {
  const peer = await measured<ListingAnswer>('listing-program.ts', { ...input.input, what: 'walk' });
  add(input.report, {
    what: `${input.size}: page after page, as others do`,
    ours: peer.ms / 1_000,
    unit: 's',
  });
}

async function benchRows({ report, input }: { report: Report; input: RowsInput }): Promise<void> {
  const { ours, copy, rewritten } = await measured<RowsAnswer>('rows-program.ts', input);
  const rows = `${input.count} rows`;
  const against = (ms: number) => ({ what: 'COPY and upsert', value: ms / 1_000 });
  add(report, {
    what: `${rows}: new`,
    ours: ours.insertMs / 1_000,
    unit: 's',
    against: against(copy.insertMs),
    maxRatio: 2.5,
  });
  add(report, {
    what: `${rows}: the same again`,
    ours: ours.unchangedMs / 1_000,
    unit: 's',
    against: against(copy.unchangedMs),
    maxRatio: 2.5,
  });
  add(report, {
    what: `${rows}: written again`,
    ours: rewritten,
    unit: '',
    against: { what: 'none', value: 0 },
    maxRatio: 1,
  });
}
