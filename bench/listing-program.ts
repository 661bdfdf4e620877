import { MockActivityEnvironment } from '@temporalio/testing';
import type { ListingOutcome, SyncId } from '../src/activities/sync/listing.ts';
import { createListingActivities } from '../src/activities/sync/listing.ts';
import { createSyncActivities } from '../src/activities/sync/sync.ts';
import { Secret } from '../src/domain/secret.ts';
import type { BenchWorld } from './world.ts';
import { openBenchWorld } from './world.ts';

export interface ListingInput {
  databaseUrl: string;
  /** Its host always resolves to the loopback address. */
  baseUrl: string;
  token: string;
  perSecond: number;
  /** `walk`: fetches page after page and stores nothing, like other tools. `sync`: the listing of Secu. */
  what: 'walk' | 'sync';
}

export interface ListingAnswer {
  listed: number;
  ms: number;
  /** Rows with a new version after this listing; in the first listing all rows. */
  rewritten: number;
  /** Peak memory during the listing minus the memory before, in MiB. */
  grownMib: number;
  cpuMs: number;
}

/** Lists once for each input that it receives, and once more for each `again`. */
process.on('message', (input: ListingInput | 'again') => {
  void answer(input).then((listed) => process.send?.(listed));
});
process.on('disconnect', () => void opened?.world.close().then(() => process.exit(0)));

let opened: { world: BenchWorld; integrationId: string; turns: number } | null = null;

async function answer(input: ListingInput | 'again'): Promise<ListingAnswer> {
  if (input === 'again') return sync();
  await opened?.world.close();
  const world = await openBenchWorld(input);
  const integrationId = input.what === 'walk' ? '' : await world.addIntegration(input);
  opened = { world, integrationId, turns: 0 };
  return input.what === 'walk' ? walk(world, input) : sync();
}

/** Required to start another sync; these counts do not matter here. */
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
  return { listed, ms: performance.now() - startedMs, rewritten: 0, grownMib: 0, cpuMs: 0 };
}

async function sync(): Promise<ListingAnswer> {
  if (opened === null) throw new Error('nothing to list');
  const { world, integrationId } = opened;
  const { deps } = world;
  const activities = { ...createSyncActivities(deps), ...createListingActivities(deps) };
  const nowMs = Date.now() + opened.turns * 60_000;
  const { syncId } = await activities.openSync({ integrationId, nowMs });
  const id = { integrationId, syncId: syncId ?? '' };
  const cpu = process.cpuUsage();
  const memory = watchMemory();
  const startedMs = performance.now();
  const listing = (await new MockActivityEnvironment({ activityType: 'listRepositories' }).run(
    (input: SyncId & { nowMs: number }) => activities.listRepositories(input),
    { ...id, nowMs },
  )) as ListingOutcome;
  const ms = performance.now() - startedMs;
  const grownMib = memory.stop();
  const used = process.cpuUsage(cpu);
  if (!listing.complete) throw new Error(`the listing is not complete: ${listing.cause}`);
  const { listed } = listing;
  const rewritten = opened.turns === 0 ? listed : await world.rewritten();
  if (opened.turns === 0) await world.noteVersions();
  opened.turns += 1;
  const now = new Date(nowMs);
  const { integrations, syncs } = deps.database.stores;
  await integrations.change(integrationId, { lastSyncAt: now, listed }, now);
  const ended = { state: 'done', cause: null, complete: true, counts: NO_COUNTS } as const;
  await syncs.end({ id: id.syncId, ...ended, unreadable: [], now });
  return { listed, ms, rewritten, grownMib, cpuMs: (used.user + used.system) / 1_000 };
}

/** Samples the resident set and subtracts what the rest of the program already used. */
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
