import { activityInfo } from '@temporalio/activity';
import type { IntegrationRow } from '../../db/stores/integrations.ts';
import type { ListingChange } from '../../db/stores/listing.ts';
import { isSecuError } from '../../domain/errors.ts';
import type { NewEvent } from '../../domain/event.ts';
import { classifierFor } from '../../domain/repository.ts';
import type { UnreadableProject } from '../../domain/unreadable.ts';
import type { GitlabApi } from '../../gitlab/client.ts';
import type { ListedEntry } from '../../gitlab/project-pages.ts';
import { LISTING_PAGE } from '../../gitlab/project-pages.ts';
import type { GitlabDeps } from '../deps.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { addRequestIdToLog } from '../log-request-id.ts';
import { currentCredential, isOutage, isTokenRefusal, openToken } from '../token/credential.ts';
import { suspectToken } from '../token/suspect.ts';
import { checkHeads } from './check-heads.ts';
import { listingWindow } from './listing-window.ts';
import type { IdRange, WalkedPage } from './walk.ts';
import { rangesBetween, walkListing } from './walk.ts';

/** Counts of the walk so far. */
interface Counts {
  listed: number;
  added: number;
  renamed: number;
  excluded: number;
  returned: number;
}

/** The state of a walk. It is the heartbeat details, so the next attempt resumes from it. */
interface Walk extends Counts {
  /** The ID ranges that are not read yet. */
  ranges: IdRange[];
  unreadable: UnreadableProject[];
}

export interface ListingOutcome extends Counts {
  /** True if every page was answered. Only then may rows be removed. */
  complete: boolean;
  cause: string | null;
  /** Projects that are listed but cannot be read. Their rows stay unchanged. */
  unreadable: UnreadableProject[];
  /** Missing repositories that GitLab reports as gone, and those that still answer by ID (our IDs; at most 50). */
  gone: string[];
  visible: string[];
}

export interface SyncId {
  integrationId: string;
  syncId: string;
}

const NO_COUNTS: Counts = { listed: 0, added: 0, renamed: 0, excluded: 0, returned: 0 };
/** The outcome of a listing without any item. */
export const NO_LISTING = { ...NO_COUNTS, unreadable: [], gone: [], visible: [] };
const MAX_PROBED = 50;
/** The limit of stored unreadable items. More of them mean that GitLab's API changed, which the first ones show. */
const MAX_UNREADABLE = 100;

export type ListingActivities = ReturnType<typeof createListingActivities>;

/** The part of a sync that talks to GitLab. */
export function createListingActivities(deps: GitlabDeps) {
  return {
    /**
     * Walks the whole listing by keyset and writes the differences. A long listing is split into ID ranges that
     * are read concurrently. A retry resumes where the last attempt stopped.
     */
    async listRepositories(input: SyncId & { nowMs: number }): Promise<ListingOutcome> {
      return listRepositories(deps, input);
    },

    /**
     * Reads the heads of repositories with activity or without a recent check, and queues a scan of each changed
     * one.
     */
    async checkHeads(input: SyncId & { nowMs: number }): Promise<{ queued: number }> {
      const { database, vault } = deps;
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

async function listRepositories(deps: GitlabDeps, sync: SyncId & { nowMs: number }): Promise<ListingOutcome> {
  const { database, gitlab, vault } = deps;
  const found = await currentCredential(database.stores, sync.integrationId);
  if (found === null) return listingWithoutToken(deps, sync);
  const { integration, credential } = found;
  addRequestIdToLog(deps.log, await database.stores.syncs.requestIdOf(sync.syncId));
  const api = gitlab.forToken({ baseUrl: integration.baseUrl, token: openToken({ vault, credential }) });
  const window = listingWindow(integration.baseUrl);
  const walk = resumedWalk() ?? {
    ...NO_COUNTS,
    unreadable: [],
    ranges: await rangesToWalk({ deps, integration, parts: window.max }),
  };
  try {
    return await withHeartbeat(
      () => walk,
      async (signal) => {
        await walkProjects({ deps, sync, integration, api, window, walk, signal });
        const probe = await probeVanished({ deps, api, sync, signal });
        return { ...countsOf(walk), unreadable: walk.unreadable, complete: true, cause: null, ...probe };
      },
    );
  } catch (err) {
    return await incompleteOutcome({ deps, sync, walk, err });
  }
}

/** Reads the remaining ranges of the walk and stores each page. */
async function walkProjects(input: {
  deps: GitlabDeps;
  sync: SyncId & { nowMs: number };
  integration: IntegrationRow;
  api: GitlabApi;
  window: ReturnType<typeof listingWindow>;
  walk: Walk;
  signal: AbortSignal;
}): Promise<void> {
  const { deps, sync, integration, api, window, walk, signal } = input;
  const firstTime = integration.lastSyncAt === null;
  const classify = classifierFor(integration.filters);
  /** Ranges that contain an item without a readable ID. No known repository in them counts as missing. */
  const gaps: IdRange[] = [];
  await walkListing(walk.ranges, {
    async readPage(after) {
      const page = await api.listProjectsPage({ idAfter: after === 0 ? null : after, signal });
      gaps.push(...gapsOf(page.entries, after));
      if (page.endsUnidentified) gaps.push({ after, upTo: null });
      return page.entries;
    },
    idOf: ({ gitlabProjectId }) => gitlabProjectId,
    pageSize: LISTING_PAGE,
    readEnd: () => api.lastProjects({ signal }),
    async storePage(page) {
      addCounts(walk, await writePage({ deps, sync, page, gaps, classify, firstTime }));
      addUnreadable(walk, page.rows);
    },
    expected: firstTime ? null : integration.listed,
    window,
    signal,
  });
}

/** The verification that follows says why there is no token; for a removed integration nothing follows. */
async function listingWithoutToken(
  deps: GitlabDeps,
  { integrationId, nowMs }: { integrationId: string; nowMs: number },
): Promise<ListingOutcome> {
  const isRemoved = (await deps.database.stores.integrations.find(integrationId)) === null;
  if (!isRemoved) await suspectToken({ deps, integrationId, now: new Date(nowMs) });
  return { ...NO_LISTING, complete: false, cause: isRemoved ? 'canceled' : 'token_missing' };
}

/** The walk of the last attempt, from its heartbeat. */
function resumedWalk(): Walk | null {
  const details: unknown = activityInfo().heartbeatDetails;
  return isWalk(details) ? details : null;
}

/**
 * The ranges to start with. A known long listing is split at page boundaries of the last listing; otherwise the
 * walk splits it later.
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
  return typeof details === 'object' && details !== null && 'ranges' in details && 'unreadable' in details;
}

function gapsOf(entries: readonly ListedEntry[], after: number): IdRange[] {
  return entries.flatMap((entry, index) =>
    entry.followsUnidentified
      ? [{ after: entries[index - 1]?.gitlabProjectId ?? after, upTo: entry.gitlabProjectId }]
      : [],
  );
}

function addUnreadable(walk: Walk, entries: readonly ListedEntry[]): void {
  const found = entries.flatMap(({ unreadable }) => unreadable ?? []);
  walk.unreadable = [...walk.unreadable, ...found].slice(0, MAX_UNREADABLE);
}

function countsOf({ ranges: _ranges, unreadable: _unreadable, ...counts }: Walk): Counts {
  return counts;
}

/** Adds the counts of one page. Pages of several ranges are stored concurrently. */
function addCounts(walk: Walk, part: Counts): void {
  for (const name of ['listed', 'added', 'renamed', 'excluded', 'returned'] as const)
    walk[name] += part[name];
}

async function writePage(input: {
  deps: GitlabDeps;
  sync: SyncId & { nowMs: number };
  page: WalkedPage<ListedEntry>;
  gaps: readonly IdRange[];
  classify: ReturnType<typeof classifierFor>;
  firstTime: boolean;
}): Promise<Counts> {
  const { gaps, classify } = input;
  const { rows, after, upTo } = input.page;
  const repositories = rows.flatMap(({ repository }) =>
    repository === null ? [] : [{ ...repository, ...classify(repository) }],
  );
  const { integrationId, syncId, nowMs } = input.sync;
  const now = new Date(nowMs);
  return input.deps.database.transaction(async (tx) => {
    const changes = await tx.listing.upsertPage({ integrationId, repositories, now });
    // an unreadable item still exists, so it is not missing
    const listedIds = rows.map((row) => row.gitlabProjectId);
    await tx.listing.markMissed({ integrationId, syncId, after, upTo, listedIds, gaps });
    if (!input.firstTime)
      await tx.events.add(
        changes.flatMap((change) => eventsOf(integrationId, change)),
        now,
      );
    return {
      listed: repositories.length,
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

/**
 * Asks GitLab by ID for repositories that a complete listing did not name, if they are few: are they gone or only
 * unlisted?
 */
async function probeVanished(input: {
  deps: GitlabDeps;
  api: GitlabApi;
  sync: SyncId;
  signal: AbortSignal;
}): Promise<{ gone: string[]; visible: string[] }> {
  const { vanished } = await input.deps.database.stores.listing.vanished(input.sync);
  const gone: string[] = [];
  const visible: string[] = [];
  if (vanished.length > MAX_PROBED) return { gone, visible };
  for (const { id, gitlabProjectId } of vanished) {
    const project = await probeProject(input, gitlabProjectId);
    if (project !== 'unknown') (project === 'gone' ? gone : visible).push(id);
  }
  return { gone, visible };
}

/**
 * Asks for one project by ID. An unreadable answer means it is visible; a server error means unknown. Neither
 * removes it.
 */
async function probeProject(
  { api, signal }: { api: GitlabApi; signal: AbortSignal },
  gitlabProjectId: number,
): Promise<'gone' | 'visible' | 'unknown'> {
  try {
    return (await api.readProject(gitlabProjectId, { signal })) === null ? 'gone' : 'visible';
  } catch (err) {
    const { problem } = isSecuError(err) ? err.details : {};
    if (problem === 'unexpected_shape') return 'visible';
    if (problem === 'server_error') return 'unknown';
    throw err;
  }
}

async function incompleteOutcome(input: {
  deps: GitlabDeps;
  sync: SyncId & { nowMs: number };
  walk: Walk;
  err: unknown;
}): Promise<ListingOutcome> {
  const { deps, err, walk } = input;
  const { syncId, integrationId, nowMs } = input.sync;
  if (isSecuError(err) && isTokenRefusal(err)) {
    await suspectToken({ deps, integrationId, now: new Date(nowMs) });
    const { unreadable } = walk;
    return { ...NO_LISTING, ...countsOf(walk), unreadable, complete: false, cause: err.code };
  }
  // a repetition would meet the same projects
  if (isSecuError(err, 'gitlab_reply_unreadable') && err.details['problem'] === 'too_many_unreadable')
    return {
      ...NO_LISTING,
      ...countsOf(walk),
      unreadable: walk.unreadable,
      complete: false,
      cause: err.code,
    };
  if (isSecuError(err) && isOutage(err))
    await deps.database.stores.syncs.recordProgress({ id: syncId, cause: err.code, listed: walk.listed });
  throw err;
}
