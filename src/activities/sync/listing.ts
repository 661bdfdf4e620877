import { activityInfo } from '@temporalio/activity';
import { publishQueuedScans } from '../../db/publish-queued-scans.ts';
import type { IntegrationRow } from '../../db/stores/integrations.ts';
import { sendWakes } from '../../db/wakes.ts';
import { isSecuError } from '../../domain/errors.ts';
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
import { checkActiveHeads, checkStaleHeads } from './check-heads.ts';
import { listActiveProjects } from './delta-listing.ts';
import { listingWindow } from './listing-window.ts';
import type { Counts, SyncContext } from './store-page.ts';
import { addCounts, addUnreadable, NO_COUNTS, storePage } from './store-page.ts';
import type { IdRange } from './walk.ts';
import { rangesBetween, walkListing } from './walk.ts';

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

/** The outcome of a listing without any item. */
export const NO_LISTING = { ...NO_COUNTS, unreadable: [], gone: [], visible: [] };
const MAX_PROBED = 50;

export type ListingActivities = ReturnType<typeof createListingActivities>;

/** The part of a sync that talks to GitLab. */
export function createListingActivities(deps: GitlabDeps) {
  return {
    /**
     * Walks the whole listing by keyset and writes the differences. A long listing is split into ID ranges that
     * are read concurrently. A retry resumes where the last attempt stopped.
     */
    async listRepositories(input: SyncContext): Promise<ListingOutcome> {
      return listRepositories(deps, input);
    },

    /**
     * Reads the heads of repositories with activity since the last check, and queues a scan of each changed one.
     */
    async checkHeads(input: SyncContext): Promise<{ queued: number }> {
      const requestId = await deps.database.stores.syncs.requestIdOf(input.syncId);
      addRequestIdToLog(deps.log, requestId);
      return withToken(deps, input, (check) => checkActiveHeads({ ...check, requestId }));
    },

    /** Reads heads that were not read for the scan interval, at most a page of them, and wakes the fleet. */
    async checkStaleHeads(input: { integrationId: string; nowMs: number }): Promise<{ queued: number }> {
      const { queued } = await withToken(deps, input, (check) =>
        checkStaleHeads({ ...check, requestId: null }),
      );
      if (queued > 0) await wakeFleet(deps, { ...input, queued });
      return { queued };
    },
  };
}

/** Runs a check of heads with the current token. Without one, nothing is checked. */
async function withToken(
  deps: GitlabDeps,
  { integrationId, nowMs }: { integrationId: string; nowMs: number },
  work: (check: Omit<Parameters<typeof checkActiveHeads>[0], 'requestId'>) => Promise<{ queued: number }>,
): Promise<{ queued: number }> {
  const found = await currentCredential(deps.database.stores, integrationId);
  if (found === null) return { queued: 0 };
  const { integration, credential } = found;
  const token = openToken({ vault: deps.vault, credential });
  return withHeartbeat(
    () => null,
    async (signal) => work({ deps, integration, token, signal, nowMs }),
  );
}

async function wakeFleet(
  deps: GitlabDeps,
  { integrationId, queued, nowMs }: { integrationId: string; queued: number; nowMs: number },
): Promise<void> {
  const now = new Date(nowMs);
  const wake = await deps.database.transaction((tx) =>
    publishQueuedScans({ tx, integrationId, queued, now }),
  );
  await sendWakes(deps, [wake]);
}

async function listRepositories(deps: GitlabDeps, sync: SyncContext): Promise<ListingOutcome> {
  const { database, gitlab, vault } = deps;
  const found = await currentCredential(database.stores, sync.integrationId);
  if (found === null) return listingWithoutToken(deps, sync);
  const { integration, credential } = found;
  const api = gitlab.forToken({ baseUrl: integration.baseUrl, token: openToken({ vault, credential }) });
  const active = await listActive({ deps, sync, integration, api });
  if (active !== null) return active;
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
        const hinted = await database.stores.hooks.hintedProjects(integration.id);
        await walkProjects({ deps, sync, integration, api, window, walk, signal });
        await database.stores.hooks.forgetHinted(integration.id, hinted);
        const probe = await probeVanished({ deps, api, sync, signal });
        return { ...countsOf(walk), unreadable: walk.unreadable, complete: true, cause: null, ...probe };
      },
    );
  } catch (err) {
    return await incompleteOutcome({ deps, sync, walk, err });
  }
}

/** The outcome of a delta listing; `null` if the sync is to list everything. */
async function listActive(input: {
  deps: GitlabDeps;
  sync: SyncContext;
  integration: IntegrationRow;
  api: GitlabApi;
}): Promise<ListingOutcome | null> {
  const { deps, sync } = input;
  const { syncs } = deps.database.stores;
  const run = await syncs.find(sync.syncId);
  addRequestIdToLog(deps.log, run?.requestId ?? null);
  const { activeSince = null } = run ?? {};
  if (activeSince === null) return null;
  try {
    const listing = await withHeartbeat(
      () => null,
      async (signal) => listActiveProjects({ ...input, activeSince, signal }),
    );
    if (listing !== null) return { ...NO_LISTING, ...listing, complete: true, cause: null };
    await syncs.listEverything(sync.syncId);
    return null;
  } catch (err) {
    return incompleteOutcome({ deps, sync, walk: { ...NO_COUNTS, ranges: [], unreadable: [] }, err });
  }
}

/** Reads the remaining ranges of the walk and stores each page. */
async function walkProjects(input: {
  deps: GitlabDeps;
  sync: SyncContext;
  integration: IntegrationRow;
  api: GitlabApi;
  window: ReturnType<typeof listingWindow>;
  walk: Walk;
  signal: AbortSignal;
}): Promise<void> {
  const { deps, sync, integration, api, window, walk, signal } = input;
  const isFirstSync = integration.lastSyncAt === null;
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
      const { rows, after, upTo } = page;
      const covered = { after, upTo, gaps };
      addCounts(walk, await storePage({ deps, sync, rows, classify, isFirstSync, covered }));
      addUnreadable(walk, page.rows);
    },
    expected: isFirstSync ? null : integration.listed,
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

function countsOf({ ranges: _ranges, unreadable: _unreadable, ...counts }: Walk): Counts {
  return counts;
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
  sync: SyncContext;
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
