import { Context } from '@temporalio/activity';
import { sendWakes } from '../db/wakes.ts';
import type { WorkflowKind, WorkflowState } from '../domain/ports.ts';
import type { ActivityDeps } from './deps.ts';

const PAGE = 200;
const DAY_MS = 86_400_000;
/** The age at which an unclaimed command has lost its wake. */
const UNCLAIMED_AFTER_MS = 60_000;
const AUDIT_KEPT_MS = 400 * DAY_MS;

export type ReconcileActivities = ReturnType<typeof createReconcileActivities>;

/** Counts of what a sweep repaired. */
export interface Repairs {
  integrationsStarted: number;
  /** Workflows without a row; they are woken so that they end. */
  orphansWoken: number;
  /** Workflows whose code kept failing; they were ended and started again from their rows. */
  stuckEnded: number;
  syncsRequeued: number;
  scansRequeued: number;
  commandsPoked: number;
  fleetsWoken: number;
  wakesSent: number;
}

export const NO_REPAIRS: Readonly<Repairs> = {
  integrationsStarted: 0,
  orphansWoken: 0,
  stuckEnded: 0,
  syncsRequeued: 0,
  scansRequeued: 0,
  commandsPoked: 0,
  fleetsWoken: 0,
  wakesSent: 0,
};

/**
 * The rows are the truth. Missing workflows are started; a row that claims a run without a workflow is queued
 * again.
 */
export function createReconcileActivities(deps: ActivityDeps) {
  return {
    async reconcile({ nowMs }: { nowMs: number }): Promise<Repairs> {
      const repairs = { ...NO_REPAIRS };
      const known = await reviveIntegrations(deps, repairs);
      await wakeOrphans(deps, { known, repairs });
      await requeueLostScans(deps, repairs);
      for (const integrationId of await deps.database.stores.commands.waitingIntegrations(
        new Date(nowMs - UNCLAIMED_AFTER_MS),
      )) {
        await deps.starters.wakeIntegration(integrationId);
        repairs.commandsPoked += 1;
      }
      for (const integrationId of await deps.database.stores.scans.waitingIntegrations()) {
        await endIfStuck(deps, { kind: 'fleet', id: integrationId, repairs });
        await deps.starters.wakeFleet(integrationId);
        repairs.fleetsWoken += 1;
      }
      const waiting = await deps.database.stores.outbox.waiting({ before: new Date(nowMs), limit: 1_000 });
      repairs.wakesSent = (await sendWakes(deps, waiting)).sent;
      await reopenDue(deps, nowMs);
      await removeOldRows(deps, nowMs);
      deps.log.info({ ...repairs }, 'reconciled');
      deps.metrics.reconciled({ ...repairs });
      return repairs;
    },
  };
}

interface WorkflowRef {
  kind: WorkflowKind;
  id: string;
  repairs: Repairs;
}

/** Ends a workflow whose code keeps failing; the next one starts from its rows. @returns the state before that */
async function endIfStuck(
  { starters, log }: ActivityDeps,
  { kind, id, repairs }: WorkflowRef,
): Promise<WorkflowState> {
  const state = await starters.getWorkflowState(kind, id);
  if (state === 'stuck') {
    await starters.terminate(kind, id);
    repairs.stuckEnded += 1;
    log.error({ kind, id }, 'a workflow whose code keeps failing was ended');
  }
  return state;
}

/** Wakes or starts the workflows of all integrations. @returns the IDs of all integrations */
async function reviveIntegrations(deps: ActivityDeps, repairs: Repairs): Promise<ReadonlySet<string>> {
  const { database, starters } = deps;
  const known = new Set<string>();
  for (let after = ''; ; ) {
    const page = await database.stores.integrations.pageOfIds({ after, limit: PAGE });
    for (const { id } of page) {
      Context.current().heartbeat();
      known.add(id);
      const sync = await database.stores.syncs.findOpen(id);
      const lost =
        sync?.state === 'running' && (await endIfStuck(deps, { kind: 'sync', id, repairs })) !== 'open';
      if (lost) {
        await database.stores.syncs.requeue(sync.id);
        repairs.syncsRequeued += 1;
      }
      const state = await endIfStuck(deps, { kind: 'integration', id, repairs });
      if (state === 'open' && !lost) continue;
      await starters.wakeIntegration(id);
      repairs.integrationsStarted += 1;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return known;
    after = last.id;
  }
}

/**
 * Handles workflows without a row, for example after a restored backup. A woken integration workflow finds no row
 * and ends; syncs and fleets end anyway.
 */
async function wakeOrphans(
  deps: ActivityDeps,
  { known, repairs }: { known: ReadonlySet<string>; repairs: Repairs },
): Promise<void> {
  for (const kind of ['integration', 'sync', 'fleet'] as const) {
    for await (const id of deps.starters.openIds(kind)) {
      Context.current().heartbeat();
      if (known.has(id)) continue;
      const state = await endIfStuck(deps, { kind, id, repairs });
      if (kind !== 'integration' || state !== 'open') continue;
      await deps.starters.wakeIntegration(id);
      repairs.orphansWoken += 1;
    }
  }
}

async function requeueLostScans(deps: ActivityDeps, repairs: Repairs): Promise<void> {
  const { database } = deps;
  for (let after = ''; ; ) {
    const page = await database.stores.scans.running({ after, limit: PAGE });
    for (const scan of page) {
      Context.current().heartbeat();
      // the row of a workflow that was ended just now is ended by its fleet
      if ((await endIfStuck(deps, { kind: 'scan', id: scan.repositoryId, repairs })) !== 'closed') continue;
      if (
        await database.stores.scans.requeue({
          id: scan.id,
          attempt: null,
          cause: null,
          counts: false,
          nextTryAt: null,
        })
      )
        repairs.scansRequeued += 1;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.id;
  }
}

/** Reopens findings that were ignored until a date that has passed. */
async function reopenDue({ database }: ActivityDeps, nowMs: number): Promise<void> {
  const now = new Date(nowMs);
  await database.transaction(async (tx) => {
    const reopened = await tx.triage.reopenDue(now);
    await tx.events.add(
      reopened.flatMap(({ integrationId, repositoryId, fullPath, findingIds }) =>
        findingIds.map((findingId) => ({
          kind: 'finding.reopened' as const,
          integrationId,
          repositoryId,
          actor: 'system',
          text: `A finding in ${fullPath} is open again: it was ignored until today.`,
          data: { findingId },
        })),
      ),
      now,
    );
  });
}

async function removeOldRows({ database, settings }: ActivityDeps, nowMs: number): Promise<void> {
  await database.stores.sessions.removeEnded(new Date(nowMs));
  await database.stores.signInTries.removeOlderThan(new Date(nowMs - DAY_MS));
  if (settings.retentionMs === 0) return;
  const before = new Date(nowMs - settings.retentionMs);
  await database.stores.events.removeOlderThan({ before, auditBefore: new Date(nowMs - AUDIT_KEPT_MS) });
  await database.stores.deliveries.removeOlderThan(before);
  await database.stores.syncs.removeOlderThan(before);
  await database.stores.rotations.removeOlderThan(before);
  await database.stores.scans.removeOlderThan(before);
  await database.stores.idempotency.removeOlderThan(new Date(nowMs - DAY_MS));
}
