import { activityInfo } from '@temporalio/activity';
import pLimit from 'p-limit';
import type { SyncRun } from '../db/entities/repository.ts';
import type { Stores } from '../db/stores/index.ts';
import type { IntegrationRow } from '../db/stores/integrations.ts';
import type { ListingChange } from '../db/stores/listing.ts';
import { tellQueued } from '../db/tell-queued.ts';
import { sendWakes } from '../db/wakes.ts';
import { isSecuError } from '../domain/errors.ts';
import type { NewEvent } from '../domain/event.ts';
import { classifierFor } from '../domain/repository.ts';
import type { Secret } from '../domain/secret.ts';
import type { GitlabApi } from '../gitlab/client.ts';
import type { GitlabDeps } from './deps.ts';
import { withHeartbeat } from './heartbeat.ts';
import { settleListing } from './settle-listing.ts';
import { suspectToken } from './suspect.ts';
import { currentCredential, isOutage, isTokenRefusal, openToken } from './token.ts';

/** Where a walk over a listing stands; the heartbeat's details, so that a new try goes on from here. */
interface Walk {
  after: number;
  listed: number;
  added: number;
  renamed: number;
  excluded: number;
  returned: number;
}

export interface ListingOutcome extends Omit<Walk, 'after'> {
  /** Every page was answered: only then may rows be taken away. */
  complete: boolean;
  cause: string | null;
  /** Of what vanished, those that GitLab says are gone, and those that still answer by id (our ids; at most 50). */
  gone: string[];
  visible: string[];
}

interface SyncId {
  integrationId: string;
  syncId: string;
}

const NOTHING: Walk = { after: 0, listed: 0, added: 0, renamed: 0, excluded: 0, returned: 0 };
const PROBED_VANISHED = 50;
const HEADS_PER_PAGE = 200;

export type SyncActivities = ReturnType<typeof createSyncActivities>;
export type ListingActivities = ReturnType<typeof createListingActivities>;

/** The database's part of a sync. */
export function createSyncActivities(deps: GitlabDeps) {
  const { database, settings } = deps;
  const { stores } = database;
  return {
    /** The sync to run now: the one that waits, or a new one when the interval is over. */
    async openSync({
      integrationId,
      nowMs,
    }: {
      integrationId: string;
      nowMs: number;
    }): Promise<{ syncId: string | null }> {
      const now = new Date(nowMs);
      return database.transaction(async (tx) => {
        const integration = await tx.integrations.lock(integrationId);
        if (integration === null) return { syncId: null };
        const { id } = await tx.syncs.open({ integrationId, trigger: 'schedule', now });
        await tx.syncs.start({ id, now });
        const next = settings.syncIntervalMs === 0 ? null : new Date(nowMs + settings.syncIntervalMs);
        await tx.integrations.change(integrationId, { nextSyncAt: next }, now);
        return { syncId: id };
      });
    },

    /** A walk that ended in a failure: incomplete, with its cause. */
    async listingFailed({ syncId, cause }: SyncId & { cause: string }): Promise<ListingOutcome> {
      const run = await stores.syncs.find(syncId);
      return { ...NOTHING, listed: run?.listed ?? 0, complete: false, cause, gone: [], visible: [] };
    },

    async settleListing(
      input: SyncId & { listing: ListingOutcome; nowMs: number },
    ): Promise<{ queued: number }> {
      return settleListing({ database, rules: deps.rules, ...input });
    },

    /** Ends the run, tells what changed and wakes the fleet. */
    async finishSync(
      input: SyncId & { listing: ListingOutcome; queuedScans: number; nowMs: number },
    ): Promise<void> {
      const now = new Date(input.nowMs);
      const wakes = await database.transaction(async (tx) => {
        const run = await tx.syncs.find(input.syncId);
        const integration = await tx.integrations.lock(input.integrationId);
        if (run === null || integration === null || run.state !== 'running') return [];
        await endRun({ tx, run, integration, input, now });
        if (input.queuedScans === 0) return [];
        await tellQueued({ tx, integrationId: input.integrationId, queued: input.queuedScans, now });
        return [await tx.outbox.add({ kind: 'wake_fleet', integrationId: input.integrationId, now })];
      });
      await sendWakes(deps, wakes);
    },

    async cancelSync(input: SyncId & { nowMs: number }): Promise<void> {
      const run = await stores.syncs.find(input.syncId);
      if (run === null) return;
      await stores.syncs.end({
        id: input.syncId,
        state: 'failed',
        cause: 'canceled',
        complete: false,
        counts: run,
        now: new Date(input.nowMs),
      });
    },
  };
}

async function endRun({ tx, run, integration, input, now }: EndRun): Promise<void> {
  const { listing } = input;
  const braked = run.cause === 'brake_engaged';
  const state = braked ? 'waiting' : listing.complete ? 'done' : 'failed';
  const cause = braked ? 'brake_engaged' : listing.cause;
  const counts = {
    listed: listing.listed,
    added: listing.added,
    renamed: listing.renamed,
    excluded: listing.excluded,
    returned: listing.returned,
    missing: run.missing,
    removed: run.removed,
    queuedScans: input.queuedScans,
  };
  await tx.syncs.end({ id: run.id, state, cause, complete: listing.complete, counts, now });
  if (listing.complete)
    await tx.integrations.change(integration.id, { lastSyncAt: now, listed: listing.listed }, now);
  const changes =
    counts.added + counts.renamed + counts.excluded + counts.returned + counts.missing + counts.removed;
  if (run.trigger === 'schedule' && listing.complete && changes === 0) return;
  const base = { integrationId: integration.id, actor: 'system', data: { syncId: run.id, ...counts, cause } };
  await tx.events.add(
    [
      listing.complete
        ? {
            ...base,
            kind: 'sync.finished',
            text: `${integration.name}: ${listing.listed} repositories listed, ${changes} changes.`,
          }
        : {
            ...base,
            kind: 'sync.failed',
            text: `${integration.name}: the listing is not complete (${cause}); nothing was taken away.`,
          },
    ],
    now,
  );
}

interface EndRun {
  tx: Stores;
  run: SyncRun;
  integration: IntegrationRow;
  input: SyncId & { listing: ListingOutcome; queuedScans: number };
  now: Date;
}

/** The part of a sync that talks to GitLab. */
export function createListingActivities(deps: GitlabDeps) {
  const { database, gitlab, vault } = deps;
  return {
    /** Walks the whole listing by keyset, writing what differs. Goes on where an earlier try stopped. */
    async listRepositories(input: SyncId & { nowMs: number }): Promise<ListingOutcome> {
      const found = await currentCredential(database.stores, input.integrationId);
      if (found === null) return { ...NOTHING, complete: false, cause: 'canceled', gone: [], visible: [] };
      const { integration, credential } = found;
      const api = gitlab.forToken({ baseUrl: integration.baseUrl, token: openToken({ vault, credential }) });
      let walk = resumed();
      try {
        return await withHeartbeat(
          () => walk,
          async (signal) => {
            const firstTime = integration.lastSyncAt === null;
            const classify = classifierFor(integration.filters);
            for (;;) {
              const page = await api.listProjectsPage({
                idAfter: walk.after === 0 ? null : walk.after,
                signal,
              });
              const rows = page.repositories.map((repository) => ({
                ...repository,
                ...classify(repository),
              }));
              walk = await writePage({ deps, input, rows, walk, lastId: page.lastId, firstTime });
              if (page.lastId === null) break;
            }
            const probe = await probeVanished({ deps, api, input, signal });
            return { ...walk, complete: true, cause: null, ...probe };
          },
        );
      } catch (err) {
        return await incomplete({ deps, input, walk, err });
      }
    },

    /** Asks repositories for their head where something happened, or nobody looked for long; queues what moved. */
    async checkHeads(input: SyncId & { nowMs: number }): Promise<{ queued: number }> {
      const found = await currentCredential(database.stores, input.integrationId);
      if (found === null) return { queued: 0 };
      const { integration, credential } = found;
      const token = openToken({ vault, credential });
      return withHeartbeat(
        () => null,
        async (signal) => checkHeads({ deps, integration, token, signal, nowMs: input.nowMs }),
      );
    },
  };
}

function resumed(): Walk {
  const details: unknown = activityInfo().heartbeatDetails;
  return isWalk(details) ? details : NOTHING;
}

function isWalk(details: unknown): details is Walk {
  return typeof details === 'object' && details !== null && 'after' in details;
}

async function writePage(input: {
  deps: GitlabDeps;
  input: SyncId & { nowMs: number };
  rows: Parameters<GitlabDeps['database']['stores']['listing']['upsertPage']>[0]['repositories'];
  walk: Walk;
  lastId: number | null;
  firstTime: boolean;
}): Promise<Walk> {
  const { integrationId, syncId, nowMs } = input.input;
  const now = new Date(nowMs);
  return input.deps.database.transaction(async (tx) => {
    const changes = await tx.listing.upsertPage({ integrationId, repositories: input.rows, now });
    const met = input.rows.map((row) => row.gitlabProjectId);
    await tx.listing.markMissed({ integrationId, syncId, after: input.walk.after, upTo: input.lastId, met });
    if (!input.firstTime)
      await tx.events.add(
        changes.flatMap((change) => eventsOf(integrationId, change)),
        now,
      );
    const next = countChanges(input.walk, changes);
    return {
      ...next,
      listed: input.walk.listed + input.rows.length,
      after: input.lastId ?? input.walk.after,
    };
  });
}

function countChanges(walk: Walk, changes: readonly ListingChange[]): Walk {
  return {
    ...walk,
    added: walk.added + changes.filter((change) => change.oldPath === null).length,
    renamed: walk.renamed + changes.filter(isRename).length,
    excluded:
      walk.excluded + changes.filter((change) => change.oldState !== null && isNewlyExcluded(change)).length,
    returned: walk.returned + changes.filter(isReturn).length,
  };
}

const isRename = (change: ListingChange) => change.oldPath !== null && change.oldPath !== change.fullPath;
const isNewlyExcluded = (change: ListingChange) =>
  change.state === 'excluded' && change.oldState !== 'excluded';
const isReturn = (change: ListingChange) => change.oldState === 'missing' || change.oldState === 'removed';

function eventsOf(integrationId: string, change: ListingChange): NewEvent[] {
  const base = { integrationId, repositoryId: change.id, actor: 'system' };
  const events: NewEvent[] = [];
  if (change.oldPath === null)
    events.push({ ...base, kind: 'repository.added', text: `${change.fullPath} was added.` });
  if (isRename(change)) {
    events.push({
      ...base,
      kind: 'repository.renamed',
      text: `${change.oldPath} is now ${change.fullPath}.`,
      data: { from: change.oldPath, to: change.fullPath },
    });
  }
  if (isReturn(change))
    events.push({ ...base, kind: 'repository.returned', text: `${change.fullPath} is listed again.` });
  if (change.oldState !== null && isNewlyExcluded(change)) {
    events.push({
      ...base,
      kind: 'repository.excluded',
      text: `${change.fullPath} is left out: ${change.excludedBecause}.`,
      data: { because: change.excludedBecause },
    });
  }
  return events;
}

/** What a complete listing did not name is asked for by id, a few: gone, or only out of our reach? */
async function probeVanished(input: {
  deps: GitlabDeps;
  api: GitlabApi;
  input: SyncId;
  signal: AbortSignal;
}): Promise<{ gone: string[]; visible: string[] }> {
  const { vanished } = await input.deps.database.stores.listing.vanished(input.input);
  const gone: string[] = [];
  const visible: string[] = [];
  if (vanished.length > PROBED_VANISHED) return { gone, visible };
  for (const { id, gitlabProjectId } of vanished) {
    const project = await input.api.readProject(gitlabProjectId, { signal: input.signal });
    (project === null ? gone : visible).push(id);
  }
  return { gone, visible };
}

async function incomplete(input: {
  deps: GitlabDeps;
  input: SyncId & { nowMs: number };
  walk: Walk;
  err: unknown;
}): Promise<ListingOutcome> {
  const { deps, err, walk } = input;
  const { syncId, integrationId, nowMs } = input.input;
  if (isSecuError(err) && isTokenRefusal(err)) {
    await suspectToken({ deps, integrationId, now: new Date(nowMs) });
    return { ...walk, complete: false, cause: err.code, gone: [], visible: [] };
  }
  if (isSecuError(err) && isOutage(err))
    await deps.database.stores.syncs.note({ id: syncId, cause: err.code, listed: walk.listed });
  throw err;
}

async function checkHeads(input: {
  deps: GitlabDeps;
  integration: { id: string; baseUrl: string };
  token: Secret;
  signal: AbortSignal;
  nowMs: number;
}): Promise<{ queued: number }> {
  const { deps, integration, nowMs } = input;
  const { stores } = deps.database;
  const interval = deps.settings.scanIntervalMs;
  const staleBefore = interval === 0 ? null : new Date(nowMs - interval);
  const limit = pLimit(deps.settings.clones);
  let queued = 0;
  for (let after = ''; ; ) {
    const page = await stores.repositories.headsToCheck({
      integrationId: integration.id,
      staleBefore,
      limit: HEADS_PER_PAGE,
      after,
    });
    const moved = await Promise.all(
      page.map((repository) => limit(() => hasMoved({ ...input, repository }))),
    );
    const ids = page.filter((_, index) => moved[index]).map(({ id }) => id);
    queued += await stores.scans.queue({
      repositoryIds: ids,
      trigger: 'sync',
      history: 'none',
      now: new Date(nowMs),
    });
    const last = page.at(-1);
    if (last === undefined || page.length < HEADS_PER_PAGE) return { queued };
    after = last.id;
  }
}

async function hasMoved(
  input: Parameters<typeof checkHeads>[0] & {
    repository: { id: string; fullPath: string; headCommit: string | null };
  },
): Promise<boolean> {
  const { deps, repository } = input;
  try {
    const { commit } = await deps.git.readHead({
      ...repository,
      baseUrl: input.integration.baseUrl,
      token: input.token,
      signal: input.signal,
    });
    if (commit !== repository.headCommit) return true;
    await deps.database.stores.repositories.headSeen({
      id: repository.id,
      commit,
      now: new Date(input.nowMs),
    });
    return false;
  } catch (err) {
    // one repository that cannot be asked now is asked again by the next sync
    if (isSecuError(err) && err.code !== 'canceled') return false;
    throw err;
  }
}
