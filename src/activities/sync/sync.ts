import type { SyncRun } from '../../db/entities/repository.ts';
import { publishQueuedScans } from '../../db/publish-queued-scans.ts';
import type { Stores } from '../../db/stores/index.ts';
import type { IntegrationChange, IntegrationRow } from '../../db/stores/integrations.ts';
import { sendWakes } from '../../db/wakes.ts';
import { activeSince, nextPaceMs } from '../../domain/sync-plan.ts';
import type { UnreadableProject } from '../../domain/unreadable.ts';
import type { GitlabDeps } from '../deps.ts';
import { addRequestIdToLog } from '../log-request-id.ts';
import { applyListing } from './apply-listing.ts';
import type { ListingOutcome, SyncId } from './listing.ts';
import { NO_LISTING } from './listing.ts';

export type SyncActivities = ReturnType<typeof createSyncActivities>;

/**
 * `syncId` null: the integration is removed. `joined`: the sync already runs in another workflow, so this caller
 * starts none.
 */
export interface OpenedSync {
  syncId: string | null;
  joined: boolean;
}

/** The database work of a sync. */
export function createSyncActivities(deps: GitlabDeps) {
  return {
    /** Returns the sync to run now: the waiting one, or a new one if the interval has passed. */
    async openSync(input: { integrationId: string; nowMs: number }): Promise<OpenedSync> {
      return openSync(deps, input);
    },

    /** Records a listing that failed: incomplete, with its cause. */
    async listingFailed({ syncId, cause }: SyncId & { cause: string }): Promise<ListingOutcome> {
      const run = await deps.database.stores.syncs.find(syncId);
      return { ...NO_LISTING, listed: run?.listed ?? 0, complete: false, cause };
    },

    async applyListing(
      input: SyncId & { listing: ListingOutcome; nowMs: number },
    ): Promise<{ queued: number }> {
      return applyListing({ database: deps.database, log: deps.log, rules: deps.rules, ...input });
    },

    /** Ends the sync, publishes the changes and wakes the fleet. */
    async finishSync(input: FinishedSync): Promise<void> {
      return finishSync(deps, input);
    },

    async cancelSync(input: SyncId & { nowMs: number }): Promise<void> {
      return cancelSync(deps, input);
    },
  };
}

interface FinishedSync extends SyncId {
  listing: ListingOutcome;
  queuedScans: number;
  nowMs: number;
}

async function openSync(
  { database, log, settings }: GitlabDeps,
  { integrationId, nowMs }: { integrationId: string; nowMs: number },
): Promise<OpenedSync> {
  const now = new Date(nowMs);
  return database.transaction(async (tx) => {
    const integration = await tx.integrations.lock(integrationId);
    if (integration === null) return { syncId: null, joined: false };
    const open = await tx.syncs.findOpen(integrationId);
    const joined = open?.state === 'running';
    const { id, requestId } = await tx.syncs.open({ integrationId, trigger: 'schedule', now });
    addRequestIdToLog(log, requestId);
    const since = activeSince({
      isScheduled: (open?.trigger ?? 'schedule') === 'schedule',
      isBraked: integration.brakeHeld !== null,
      lastFullSyncAt: integration.lastFullSyncAt ?? null,
      lastSyncStartedAt: await tx.syncs.lastCompleteStart(integrationId),
      fullSyncIntervalMs: settings.fullSyncIntervalMs,
      now,
    });
    if (!(await tx.syncs.start({ id, activeSince: since, now }))) return { syncId: null, joined: false };
    if (!joined) {
      await tx.hooks.syncStarted({ integrationId, now });
      await addStartedEvent({ tx, syncId: id, integration, now });
    }
    const paceMs = integration.syncPaceMs ?? settings.syncIntervalMs;
    const next =
      settings.syncIntervalMs === 0 ? null : new Date(nowMs + Math.min(paceMs, settings.syncIntervalMs));
    await tx.integrations.changeLocked(integrationId, { nextSyncAt: next }, now);
    return { syncId: id, joined };
  });
}

async function finishSync(deps: GitlabDeps, input: FinishedSync): Promise<void> {
  const { integrationId, queuedScans } = input;
  const now = new Date(input.nowMs);
  const wakes = await deps.database.transaction(async (tx) => {
    const run = await tx.syncs.find(input.syncId);
    const integration = await tx.integrations.lock(integrationId);
    if (run === null || integration === null || run.state !== 'running') return [];
    addRequestIdToLog(deps.log, run.requestId);
    await endRun({ tx, run, integration, input, intervalMs: deps.settings.syncIntervalMs, now });
    const wakes = run.again ? [await openFollowUpSync({ tx, integrationId, now })] : [];
    // the plan leaves out hints while a sync runs
    if (!run.again && (await tx.hooks.syncDueAt(integrationId)) !== null)
      wakes.push(await tx.outbox.add({ kind: 'wake_integration', integrationId, now }));
    if (queuedScans === 0) return wakes;
    return [...wakes, await publishQueuedScans({ tx, integrationId, queued: queuedScans, now })];
  });
  await sendWakes(deps, wakes);
}

async function cancelSync({ database, log }: GitlabDeps, input: SyncId & { nowMs: number }): Promise<void> {
  const { syncs } = database.stores;
  const run = await syncs.find(input.syncId);
  if (run === null) return;
  const ended = await syncs.end({
    id: input.syncId,
    state: 'failed',
    cause: 'canceled',
    complete: false,
    counts: run,
    unreadable: [],
    now: new Date(input.nowMs),
  });
  if (!ended) log.info({ syncId: input.syncId }, 'the sync had ended before it was canceled');
}

/**
 * A background sync publishes an event only if it changed something or failed. A requested sync also publishes its
 * start.
 */
async function addStartedEvent(input: {
  tx: Stores;
  syncId: string;
  integration: IntegrationRow;
  now: Date;
}): Promise<void> {
  const { tx, syncId, integration, now } = input;
  const run = await tx.syncs.find(syncId);
  if (run === null || run.trigger === 'schedule') return;
  const text = `${integration.name}: the repositories are being listed.`;
  const data = { syncId, trigger: run.trigger };
  await tx.events.add(
    [{ kind: 'sync.started', integrationId: integration.id, actor: 'system', text, data }],
    now,
  );
}

/** Opens the sync that follows one during which the filters changed. */
async function openFollowUpSync({
  tx,
  integrationId,
  now,
}: {
  tx: Stores;
  integrationId: string;
  now: Date;
}) {
  await tx.syncs.open({ integrationId, trigger: 'manual', now });
  return tx.outbox.add({ kind: 'wake_integration', integrationId, now });
}

async function endRun({ tx, run, integration, input, intervalMs, now }: EndRun): Promise<void> {
  const { listing } = input;
  const isHeldBack = run.cause === 'brake_engaged';
  const state = isHeldBack ? 'waiting' : listing.complete ? 'done' : 'failed';
  const cause = isHeldBack ? 'brake_engaged' : listing.cause;
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
  const { complete, unreadable } = listing;
  const hasNewUnreadable = await isNewlyUnreadable(tx, integration.id, unreadable);
  const ended = await tx.syncs.end({ id: run.id, state, cause, complete, counts, unreadable, now });
  if (!ended) return;
  const changes =
    counts.added + counts.renamed + counts.excluded + counts.returned + counts.missing + counts.removed;
  if (listing.complete) {
    const isDelta = run.activeSince != null;
    // a delta takes nothing away, so it can only add to what was listed
    const listed = isDelta ? integration.listed + counts.added + counts.returned : listing.listed;
    const full = isDelta ? {} : { lastFullSyncAt: now };
    await tx.integrations.changeLocked(
      integration.id,
      { lastSyncAt: now, listed, ...full, ...paceOf({ integration, run, changes, input, intervalMs }) },
      now,
    );
    await recordReachChange({ tx, integration, syncId: run.id, counts: { ...counts, listed }, now });
  }
  if (run.trigger === 'schedule' && listing.complete && changes === 0 && !hasNewUnreadable) return;
  const base = {
    integrationId: integration.id,
    actor: 'system',
    data: { syncId: run.id, ...counts, unreadable, cause },
  };
  await tx.events.add(
    [
      listing.complete
        ? {
            ...base,
            kind: 'sync.finished',
            text: `${integration.name}: ${listing.listed} repositories listed, ${changes} changes.${unreadableText(unreadable)}`,
          }
        : {
            ...base,
            kind: 'sync.failed',
            text: `${integration.name}: the listing is not complete (${cause}); no repository was removed.`,
          },
    ],
    now,
  );
}

/** While there are changes, the next sync comes sooner. */
function paceOf(input: {
  integration: IntegrationRow;
  run: SyncRun;
  changes: number;
  input: FinishedSync;
  intervalMs: number;
}): Pick<IntegrationChange, 'syncPaceMs' | 'nextSyncAt'> {
  const { integration, run, changes, intervalMs } = input;
  if (intervalMs === 0) return {};
  const hasChanged = changes + input.input.queuedScans > 0;
  const paceMs = nextPaceMs({ paceMs: integration.syncPaceMs ?? null, hasChanged, intervalMs });
  const startedMs = run.startedAt?.getTime() ?? input.input.nowMs;
  return { syncPaceMs: paceMs, nextSyncAt: new Date(Math.max(input.input.nowMs, startedMs + paceMs)) };
}

async function isNewlyUnreadable(
  tx: Stores,
  integrationId: string,
  unreadable: readonly UnreadableProject[],
): Promise<boolean> {
  if (unreadable.length === 0) return false;
  const before = new Set((await tx.syncs.lastUnreadable(integrationId)).map((item) => item.gitlabProjectId));
  return unreadable.some(({ gitlabProjectId }) => !before.has(gitlabProjectId));
}

const MAX_NAMED_UNREADABLE = 5;

function unreadableText(unreadable: readonly UnreadableProject[]): string {
  if (unreadable.length === 0) return '';
  const named = unreadable.slice(0, MAX_NAMED_UNREADABLE).map(({ gitlabProjectId }) => gitlabProjectId);
  const rest = unreadable.length > named.length ? ' and more' : '';
  return ` ${unreadable.length} could not be read and remain unchanged (GitLab project ${named.join(', ')}${rest}).`;
}

/** The minimum time for which a change of reach is shown as a warning. */
const REACH_WARNING_MS = 24 * 3_600_000;

/**
 * Compares what the token reaches with the previous complete listing. A difference causes an event, and a warning
 * for a day.
 */
async function recordReachChange(input: {
  tx: Stores;
  integration: IntegrationRow;
  syncId: string;
  counts: { listed: number; added: number; returned: number; missing: number; removed: number };
  now: Date;
}): Promise<void> {
  const { tx, integration, syncId, counts, now } = input;
  const { id, name, warnings } = integration;
  const gained = counts.added + counts.returned;
  const lost = Math.max(0, integration.listed + gained - counts.listed);
  const others = warnings.filter((warning) => warning !== 'reach_reduced' && warning !== 'reach_grown');
  const isFirst = integration.lastSyncAt === null || integration.lastSyncAt === undefined;
  if (isFirst) return;
  if (gained + lost === 0) {
    if (others.length === warnings.length) return;
    const since = new Date(now.getTime() - REACH_WARNING_MS);
    const kinds = ['integration.reach_changed', 'integration.token_replaced'] as const;
    if (await tx.events.hasSince({ integrationId: id, kinds, since })) return;
    await tx.integrations.changeLocked(id, { warnings: others }, now);
    return;
  }
  const reduced = lost > 0 ? (['reach_reduced'] as const) : [];
  const grown = gained > 0 ? (['reach_grown'] as const) : [];
  await tx.integrations.changeLocked(id, { warnings: [...others, ...reduced, ...grown] }, now);
  await tx.events.add(
    [
      {
        kind: 'integration.reach_changed',
        integrationId: id,
        actor: 'system',
        text: `${name}: the token reaches ${gained} repositories more and ${lost} fewer than before.`,
        data: {
          syncId,
          before: { repositories: integration.listed },
          after: { repositories: counts.listed },
          gained,
          lost,
        },
      },
    ],
    now,
  );
}

interface EndRun {
  tx: Stores;
  run: SyncRun;
  integration: IntegrationRow;
  input: FinishedSync;
  /** Of the settings; 0 = no background syncs. */
  intervalMs: number;
  now: Date;
}
