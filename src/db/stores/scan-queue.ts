import type { ScanHistory, ScanTrigger } from '../../domain/scan.ts';
import { BACKGROUND_PRIORITY, SCAN_PRIORITY } from '../../domain/scan.ts';
import { newId } from '../new-id.ts';
import { dateOrNull } from '../rows.ts';
import type { Sql } from '../sql.ts';

/** Scans to queue. */
interface ScansToQueue {
  repositoryIds: readonly string[];
  trigger: ScanTrigger;
  history: ScanHistory;
  /** Id of the request that caused them; joined scans keep theirs. */
  requestId?: string | null;
  now: Date;
}

const INSERT_QUEUED = `
insert into scan (id, integration_id, repository_id, trigger, priority, status, history, attempt, requeues, full_again, queued_at, request_id)
select t.id, r.integration_id, r.id, $3, $4, 'queued', $5, 0, 0, false, $6, $7
from unnest($1::text[], $2::text[]) as t (id, repository_id) join repository r on r.id = t.repository_id
on conflict (repository_id) where status in ('queued', 'running') do update
  set trigger = excluded.trigger, priority = excluded.priority, history = excluded.history,
    request_id = coalesce(excluded.request_id, scan.request_id)
  where scan.status = 'queued' and scan.trigger in ('history', 'rules') and excluded.priority < scan.priority`;

/**
 * Queues scans for these repositories; an open scan is joined. If a background scan is queued and the new one is more
 * urgent, the row becomes the new scan; a history scan that it replaces is queued again when it ends. @returns the number of changed scans
 */
export async function queueScans(sql: Sql, input: ScansToQueue): Promise<number> {
  if (input.repositoryIds.length === 0) return 0;
  return sql.run(INSERT_QUEUED, [
    input.repositoryIds.map(() => newId('scan')),
    input.repositoryIds,
    input.trigger,
    SCAN_PRIORITY[input.trigger],
    input.history,
    input.now,
    input.requestId ?? null,
  ]);
}

/** Queues scans in the background. */
export function createScanQueueing(sql: Sql) {
  return {
    /** Queues scans for these repositories; an open scan is joined. @returns the number of new scans */
    queue: (input: ScansToQueue): Promise<number> => queueScans(sql, input),

    /**
     * Queues scans for new repositories, and with the trigger `rules` for those last scanned with other rules.
     * @returns the number of new scans
     */
    async queueNewAndOutdated(input: {
      integrationId: string;
      trigger: ScanTrigger;
      rules: string;
      requestId: string | null;
      now: Date;
    }): Promise<number> {
      const rows = await sql.rows<{ id: string; isNew: boolean }>(
        `select r.id, r.checked_at is null as "isNew" from repository r where r.integration_id = $1 and r.state = 'active'
           and (r.checked_at is null or (r.scanned_rules is not null and r.scanned_rules <> $2))
           and not exists (select 1 from scan s where s.repository_id = r.id and s.status in ('queued', 'running'))`,
        [input.integrationId, input.rules],
      );
      const queue = (isNew: boolean, trigger: ScanTrigger) =>
        queueScans(sql, {
          repositoryIds: rows.filter((row) => row.isNew === isNew).map((row) => row.id),
          trigger,
          history: 'none',
          requestId: input.requestId,
          now: input.now,
        });
      return (await queue(true, input.trigger)) + (await queue(false, 'rules'));
    },
  };
}

/** Scans that the fleet may start now or later. */
export function createScanQueueReads(sql: Sql) {
  return {
    /** Queued scans that the fleet has not taken yet and that may start now, most urgent first. */
    async listQueued(input: {
      integrationId: string;
      exclude: readonly string[];
      limit: number;
      /** In a quiet period: only scans that a person requested. */
      onlyRequested?: boolean;
      now: Date;
    }) {
      return sql.rows<{ scanId: string; repositoryId: string; background: boolean }>(
        `select id as "scanId", repository_id as "repositoryId", priority >= $5 as background from scan
         where integration_id = $1 and status = 'queued' and id <> all($2::text[])
           and (next_try_at is null or next_try_at <= $4) and (not $6 or priority <= $7)
         order by priority, id limit $3`,
        [
          input.integrationId,
          input.exclude,
          input.limit,
          input.now,
          BACKGROUND_PRIORITY,
          input.onlyRequested ?? false,
          SCAN_PRIORITY.manual,
        ],
      );
    },

    /** When the next queued scan that waits after a failure may start; `null` = none. */
    async nextTryAt(input: { integrationId: string; now: Date }): Promise<Date | null> {
      const row = await sql.first<{ at: string | null }>(
        `select min(next_try_at) as at from scan where integration_id = $1 and status = 'queued' and next_try_at > $2`,
        [input.integrationId, input.now],
      );
      return dateOrNull(row?.at ?? null);
    },
  };
}

/** Queued scans of whole integrations. */
export function createWaitingScans(sql: Sql) {
  return {
    /** Whether any scan is queued, including those that wait for a retry. */
    async hasQueued(integrationId: string): Promise<boolean> {
      const row = await sql.first(
        `select 1 from scan where integration_id = $1 and status = 'queued' limit 1`,
        [integrationId],
      );
      return row !== null;
    },

    /** Resets retry delays after an outage, which was not the fault of the repositories. */
    async resetRetryDelays(integrationId: string): Promise<void> {
      await sql.run(
        `update scan set requeues = 0, next_try_at = null where integration_id = $1 and status = 'queued' and requeues > 0`,
        [integrationId],
      );
    },

    /** Integrations with queued scans. */
    async waitingIntegrations(): Promise<string[]> {
      const rows = await sql.rows<{ integration_id: string }>(
        `select distinct integration_id from scan where status = 'queued'`,
      );
      return rows.map((row) => row.integration_id);
    },
  };
}
