import { MockActivityEnvironment } from '@temporalio/testing';
import type { ListingOutcome, SyncId } from '../src/activities/listing.ts';
import { createListingActivities } from '../src/activities/listing.ts';
import { createSyncActivities } from '../src/activities/sync.ts';
import { Secret } from '../src/domain/secret.ts';
import type { BenchWorld } from './world.ts';
import { openBenchWorld } from './world.ts';

export interface ListingInput {
  databaseUrl: string;
  /** Its host is looked up as the loopback address, whatever it is called. */
  baseUrl: string;
  token: string;
  perSecond: number;
  /** `walk`: pages one after the other, nothing stored: what others do. `sync`: the listing of Secu, twice. */
  what: 'walk' | 'sync';
}

export interface ListingAnswer {
  listed: number;
  /** Of the first listing, and of the second, in which nothing changed. */
  ms: number[];
  /** Rows whose version the second listing changed. */
  rewritten: number;
  /** Most memory while listing, over what there was before, in MiB. */
  grownMib: number;
  cpuMs: number;
}

process.once('message', (input: ListingInput) => {
  void run(input).then((answer) => process.send?.(answer));
});

async function run(input: ListingInput): Promise<ListingAnswer> {
  const world = await openBenchWorld(input);
  try {
    return input.what === 'walk' ? await walk(world, input) : await sync(world, input);
  } finally {
    await world.close();
  }
}

/** Another sync may begin; what this one met does not matter here. */
const NO_COUNTS = {
  listed: 0,
  added: 0,
  renamed: 0,
  excluded: 0,
  returned: 0,
  missing: 0,
  removed: 0,
  queuedScans: 0,
};

async function walk({ deps }: BenchWorld, { baseUrl, token }: ListingInput): Promise<ListingAnswer> {
  const api = deps.gitlab.forToken({ baseUrl, token: new Secret(token) });
  const startedMs = performance.now();
  let listed = 0;
  for (let after: number | null = null; ; ) {
    const page = await api.listProjectsPage({ idAfter: after });
    listed += page.repositories.length;
    if (page.lastId === null) break;
    after = page.lastId;
  }
  return { listed, ms: [performance.now() - startedMs], rewritten: 0, grownMib: 0, cpuMs: 0 };
}

async function sync(world: BenchWorld, input: ListingInput): Promise<ListingAnswer> {
  const { deps } = world;
  const integrationId = await world.addIntegration(input);
  const activities = { ...createSyncActivities(deps), ...createListingActivities(deps) };
  const cpu = process.cpuUsage();
  const ms: number[] = [];
  let listed = 0;
  let grownMib = 0;
  let rewritten = 0;
  for (const turn of [0, 1]) {
    const nowMs = Date.now() + turn * 60_000;
    const { syncId } = await activities.openSync({ integrationId, nowMs });
    const id = { integrationId, syncId: syncId ?? '' };
    const memory = watchMemory();
    const startedMs = performance.now();
    const listing = (await new MockActivityEnvironment({ activityType: 'listRepositories' }).run(
      (input: SyncId & { nowMs: number }) => activities.listRepositories(input),
      { ...id, nowMs },
    )) as ListingOutcome;
    ms.push(performance.now() - startedMs);
    grownMib = Math.max(grownMib, memory.stop());
    if (!listing.complete) throw new Error(`the listing is not complete: ${listing.cause}`);
    listed = listing.listed;
    if (turn === 0) await world.noteVersions();
    else rewritten = await world.rewritten();
    await deps.database.stores.integrations.change(
      integrationId,
      { lastSyncAt: new Date(nowMs), listed },
      new Date(nowMs),
    );
    await deps.database.stores.syncs.end({
      id: id.syncId,
      state: 'done',
      cause: null,
      complete: true,
      counts: NO_COUNTS,
      now: new Date(nowMs),
    });
  }
  const used = process.cpuUsage(cpu);
  return { listed, ms, rewritten, grownMib, cpuMs: (used.user + used.system) / 1_000 };
}

/** Samples the resident set; what other parts of the program took before does not count. */
function watchMemory(): { stop(): number } {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 100);
  return {
    stop() {
      clearInterval(timer);
      return (most - before) / 2 ** 20;
    },
  };
}
