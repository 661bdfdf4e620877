import { activityInfo } from '@temporalio/activity';
import type { ListingChange } from '../../db/stores/listing.ts';
import { isSecuError } from '../../domain/errors.ts';
import type { NewEvent } from '../../domain/event.ts';
import { classifierFor } from '../../domain/repository.ts';
import type { GitlabApi } from '../../gitlab/client.ts';
import { LISTING_PAGE } from '../../gitlab/client.ts';
import type { GitlabDeps } from '../deps.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { addRequestIdToLog } from '../log-request-id.ts';
import { currentCredential, isOutage, isTokenRefusal, openToken } from '../token/credential.ts';
import { suspectToken } from '../token/suspect.ts';
import { checkHeads } from './check-heads.ts';
import { listingWindow } from './listing-window.ts';
import type { IdRange } from './walk.ts';
import { rangesBetween, walkListing } from './walk.ts';

/** What a walk over a listing has met so far. */
interface Counts {
  listed: number;
  added: number;
  renamed: number;
  excluded: number;
  returned: number;
}

/** Where it stands; the heartbeat's details, so that a new try goes on from here. */
interface Walk extends Counts {
  /** What is left to read. */
  ranges: IdRange[];
}

export interface ListingOutcome extends Counts {
  /** Every page was answered: only then may rows be taken away. */
  complete: boolean;
  cause: string | null;
  /** Of what vanished, those that GitLab says are gone, and those that still answer by id (our ids; at most 50). */
  gone: string[];
  visible: string[];
}

export interface SyncId {
  integrationId: string;
  syncId: string;
}

export const NO_COUNTS: Counts = { listed: 0, added: 0, renamed: 0, excluded: 0, returned: 0 };
const MAX_PROBED = 50;

export type ListingActivities = ReturnType<typeof createListingActivities>;

/** The part of a sync that talks to GitLab. */
export function createListingActivities(deps: GitlabDeps) {
  const { database, gitlab, vault } = deps;
  return {
    /**
     * Walks the whole listing by keyset, a long one in ranges of ids at once, writing what differs. Goes on where an
     * earlier try stopped.
     */
    async listRepositories(input: SyncId & { nowMs: number }): Promise<ListingOutcome> {
      const found = await currentCredential(database.stores, input.integrationId);
      if (found === null) return { ...NO_COUNTS, complete: false, cause: 'canceled', gone: [], visible: [] };
      const { integration, credential } = found;
      addRequestIdToLog(deps.log, await database.stores.syncs.requestIdOf(input.syncId));
      const api = gitlab.forToken({ baseUrl: integration.baseUrl, token: openToken({ vault, credential }) });
      const window = listingWindow(integration.baseUrl);
      const walk = resumed() ?? {
        ...NO_COUNTS,
        ranges: await rangesToWalk({ deps, integration, parts: window.max }),
      };
      try {
        return await withHeartbeat(
          () => walk,
          async (signal) => {
            const firstTime = integration.lastSyncAt === null;
            const classify = classifierFor(integration.filters);
            await walkListing(walk.ranges, {
              readPage: async (after) =>
                (await api.listProjectsPage({ idAfter: after === 0 ? null : after, signal })).repositories,
              idOf: ({ gitlabProjectId }) => gitlabProjectId,
              pageSize: LISTING_PAGE,
              readEnd: () => api.lastProjects({ signal }),
              async storePage({ rows, after, upTo }) {
                const classified = rows.map((repository) => ({ ...repository, ...classify(repository) }));
                addCounts(walk, await writePage({ deps, input, rows: classified, after, upTo, firstTime }));
              },
              expected: firstTime ? null : integration.listed,
              window,
              signal,
            });
            const probe = await probeVanished({ deps, api, input, signal });
            return { ...countsOf(walk), complete: true, cause: null, ...probe };
          },
        );
      } catch (err) {
        return await incompleteOutcome({ deps, input, walk, err });
      }
    },

    /** Asks repositories for their head where something happened, or nobody looked for long; queues what moved. */
    async checkHeads(input: SyncId & { nowMs: number }): Promise<{ queued: number }> {
      const found = await currentCredential(database.stores, input.integrationId);
      if (found === null) return { queued: 0 };
      const { integration, credential } = found;
      const token = openToken({ vault, credential });
      const requestId = await database.stores.syncs.requestIdOf(input.syncId);
      addRequestIdToLog(deps.log, requestId);
      return withHeartbeat(
        () => null,
        async (signal) => checkHeads({ deps, integration, token, signal, requestId, nowMs: input.nowMs }),
      );
    },
  };
}

function resumed(): Walk | null {
  const details: unknown = activityInfo().heartbeatDetails;
  return isWalk(details) ? details : null;
}

/**
 * A long listing that we know is cut before the first page, at whole pages of what it was the last time; else the walk
 * finds out for itself.
 */
async function rangesToWalk(input: {
  deps: GitlabDeps;
  integration: { id: string; listed: number };
  parts: number;
}): Promise<IdRange[]> {
  const { deps, integration, parts } = input;
  const pages = Math.ceil(integration.listed / LISTING_PAGE);
  if (pages <= parts * 2) return [{ after: 0, upTo: null }];
  const step = Math.ceil(pages / parts) * LISTING_PAGE;
  const cuts = await deps.database.stores.listing.everyNthProjectId({ integrationId: integration.id, step });
  return rangesBetween(cuts);
}

function isWalk(details: unknown): details is Walk {
  return typeof details === 'object' && details !== null && 'ranges' in details;
}

function countsOf({ ranges: _ranges, ...counts }: Walk): Counts {
  return counts;
}

/** Pages of several ranges are stored at once: each adds its part. */
function addCounts(walk: Walk, part: Counts): void {
  for (const name of ['listed', 'added', 'renamed', 'excluded', 'returned'] as const)
    walk[name] += part[name];
}

async function writePage(input: {
  deps: GitlabDeps;
  input: SyncId & { nowMs: number };
  rows: Parameters<GitlabDeps['database']['stores']['listing']['upsertPage']>[0]['repositories'];
  after: number;
  upTo: number | null;
  firstTime: boolean;
}): Promise<Counts> {
  const { after, upTo } = input;
  const { integrationId, syncId, nowMs } = input.input;
  const now = new Date(nowMs);
  return input.deps.database.transaction(async (tx) => {
    const changes = await tx.listing.upsertPage({ integrationId, repositories: input.rows, now });
    const met = input.rows.map((row) => row.gitlabProjectId);
    await tx.listing.markMissed({ integrationId, syncId, after, upTo, met });
    if (!input.firstTime)
      await tx.events.add(
        changes.flatMap((change) => eventsOf(integrationId, change)),
        now,
      );
    return {
      listed: input.rows.length,
      added: changes.filter((change) => change.oldPath === null).length,
      renamed: changes.filter(isRename).length,
      excluded: changes.filter((change) => change.oldState !== null && isNewlyExcluded(change)).length,
      returned: changes.filter(isReturn).length,
    };
  });
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
  if (vanished.length > MAX_PROBED) return { gone, visible };
  for (const { id, gitlabProjectId } of vanished) {
    const project = await input.api.readProject(gitlabProjectId, { signal: input.signal });
    (project === null ? gone : visible).push(id);
  }
  return { gone, visible };
}

async function incompleteOutcome(input: {
  deps: GitlabDeps;
  input: SyncId & { nowMs: number };
  walk: Walk;
  err: unknown;
}): Promise<ListingOutcome> {
  const { deps, err, walk } = input;
  const { syncId, integrationId, nowMs } = input.input;
  if (isSecuError(err) && isTokenRefusal(err)) {
    await suspectToken({ deps, integrationId, now: new Date(nowMs) });
    return { ...countsOf(walk), complete: false, cause: err.code, gone: [], visible: [] };
  }
  if (isSecuError(err) && isOutage(err))
    await deps.database.stores.syncs.recordProgress({ id: syncId, cause: err.code, listed: walk.listed });
  throw err;
}
