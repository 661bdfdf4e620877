import { Context } from '@temporalio/activity';
import { sendWakes } from '../db/wakes.ts';
import type { ActivityDeps } from './deps.ts';

const PAGE = 200;
const DAY_MS = 86_400_000;
/** A command that waits this long was forgotten: every wake for it is lost. */
const UNCLAIMED_AFTER_MS = 60_000;
const AUDIT_KEPT_MS = 400 * DAY_MS;

export type ReconcileActivities = ReturnType<typeof createReconcileActivities>;

/** What a sweep did, in counts. */
export interface Repairs {
  integrationsStarted: number;
  syncsRequeued: number;
  scansRequeued: number;
  commandsPoked: number;
  fleetsWoken: number;
  wakesSent: number;
}

/** Rows are the truth: whatever runs for them and does not, starts; whatever says that it runs and does not, waits again. */
export function createReconcileActivities(deps: ActivityDeps) {
  return {
    async reconcile({ nowMs }: { nowMs: number }): Promise<Repairs> {
      const repairs: Repairs = {
        integrationsStarted: 0,
        syncsRequeued: 0,
        scansRequeued: 0,
        commandsPoked: 0,
        fleetsWoken: 0,
        wakesSent: 0,
      };
      await reviveIntegrations(deps, repairs);
      await requeueLostScans(deps, repairs);
      for (const integrationId of await deps.database.stores.commands.integrationsWaiting(
        new Date(nowMs - UNCLAIMED_AFTER_MS),
      )) {
        await deps.starters.wakeIntegration(integrationId);
        repairs.commandsPoked += 1;
      }
      for (const integrationId of await deps.database.stores.scans.integrationsWaiting()) {
        await deps.starters.wakeFleet(integrationId);
        repairs.fleetsWoken += 1;
      }
      const waiting = await deps.database.stores.outbox.waiting({ before: new Date(nowMs), limit: 1_000 });
      repairs.wakesSent = (await sendWakes(deps, waiting)).sent;
      await forget(deps, nowMs);
      deps.log.info({ ...repairs }, 'reconciled');
      return repairs;
    },
  };
}

async function reviveIntegrations({ database, starters }: ActivityDeps, repairs: Repairs): Promise<void> {
  for (let after = ''; ; ) {
    const page = await database.stores.integrations.pageOfIds({ after, limit: PAGE });
    for (const { id } of page) {
      Context.current().heartbeat();
      const sync = await database.stores.syncs.openOne(id);
      const lost = sync?.state === 'running' && !(await starters.isOpen('sync', id));
      if (lost) {
        await database.stores.syncs.requeue(sync.id);
        repairs.syncsRequeued += 1;
      }
      if (!lost && (await starters.isOpen('integration', id))) continue;
      await starters.wakeIntegration(id);
      repairs.integrationsStarted += 1;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.id;
  }
}

async function requeueLostScans({ database, starters }: ActivityDeps, repairs: Repairs): Promise<void> {
  for (let after = ''; ; ) {
    const page = await database.stores.scans.running({ after, limit: PAGE });
    for (const scan of page) {
      Context.current().heartbeat();
      if (await starters.isOpen('scan', scan.repositoryId)) continue;
      if (await database.stores.scans.requeue({ id: scan.id, attempt: null, cause: null }))
        repairs.scansRequeued += 1;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.id;
  }
}

async function forget({ database, settings }: ActivityDeps, nowMs: number): Promise<void> {
  if (settings.retentionMs === 0) return;
  const before = new Date(nowMs - settings.retentionMs);
  await database.stores.events.removeOlderThan({ before, auditBefore: new Date(nowMs - AUDIT_KEPT_MS) });
  await database.stores.syncs.removeOlderThan(before);
  await database.stores.scans.removeOlderThan(before);
  await database.stores.idempotency.removeOlderThan(new Date(nowMs - DAY_MS));
}
