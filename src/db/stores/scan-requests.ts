import type { ScanHistory } from '../../domain/scan.ts';
import { SCAN_PRIORITY } from '../../domain/scan.ts';
import type { Sql } from '../sql.ts';
import { queueScans } from './scan-queue.ts';

/** Requests of users and API clients for one scan. */
export function createScanRequests(sql: Sql) {
  return {
    /**
     * Requests a scan of one repository: joins a queued one (and upgrades it with `full`) or a running one, which with
     * `full` is followed by another.
     */
    async requestScan(input: {
      repositoryId: string;
      full: boolean;
      requestId?: string;
      now: Date;
    }): Promise<string> {
      const history: ScanHistory = input.full ? 'full' : 'none';
      for (;;) {
        await queueScans(sql, { ...input, repositoryIds: [input.repositoryId], trigger: 'manual', history });
        const joined = await sql.first<{ id: string }>(
          `update scan set
             priority = least(priority, $3),
             next_try_at = null,
             requeues = case when status = 'queued' then 0 else requeues end,
             request_id = coalesce(request_id, $4),
             trigger = case when status = 'queued' and trigger in ('history', 'rules') then 'manual' else trigger end,
             history = case when $2 and status = 'queued' then 'full'
               when status = 'queued' and trigger = 'history' then 'none' else history end,
             full_again = full_again or ($2 and status = 'running' and history <> 'full')
           where repository_id = $1 and status in ('queued', 'running') returning id`,
          [input.repositoryId, input.full, SCAN_PRIORITY.manual, input.requestId ?? null],
        );
        if (joined !== null) return joined.id;
      }
    },

    /** Cancels a queued scan at once; a running one ends when its worker notices the request. */
    async requestCancel({ id, now }: { id: string; now: Date }): Promise<'canceled' | 'requested' | 'ended'> {
      const row = await sql.first<{ status: string }>(
        `update scan set cancel_requested_at = coalesce(cancel_requested_at, $2),
           status = case when status = 'queued' then 'canceled' else status end,
           cause = case when status = 'queued' then 'canceled' else cause end,
           finished_at = case when status = 'queued' then $2 else finished_at end
         where id = $1 and status in ('queued', 'running') returning status`,
        [id, now],
      );
      if (row === null) return 'ended';
      return row.status === 'canceled' ? 'canceled' : 'requested';
    },
  };
}

/** Scans that hooks ask for. */
export function createHookScanRequests(sql: Sql) {
  return {
    /**
     * Queues a scan because a hook announced commits. A queued scan becomes more urgent; a running one, which may have
     * cloned before the push, is followed by another. Call it in a transaction: the open scan stays locked in between.
     * @returns whether the fleet has something new to start
     */
    async requestHookScan({ repositoryId, now }: { repositoryId: string; now: Date }): Promise<boolean> {
      const scans = { repositoryIds: [repositoryId], trigger: 'hook', history: 'none', now } as const;
      if ((await queueScans(sql, scans)) > 0) return true;
      const changed = await sql.first<{ status: string }>(
        `update scan set
           priority = case when status = 'queued' then least(priority, $2) else priority end,
           again = again or status = 'running'
         where repository_id = $1 and ((status = 'queued' and priority > $2) or (status = 'running' and not again))
         returning status`,
        [repositoryId, SCAN_PRIORITY.hook],
      );
      return changed?.status === 'queued';
    },
  };
}

/** Requests for the scans of a whole integration. */
export function createIntegrationScanRequests(sql: Sql) {
  return {
    /** Queues a scan of every active repository. @returns the number of open scans afterwards */
    async queueAll(input: {
      integrationId: string;
      full: boolean;
      requestId?: string;
      now: Date;
    }): Promise<number> {
      const rows = await sql.rows<{ id: string }>(
        `select id from repository where integration_id = $1 and state = 'active'`,
        [input.integrationId],
      );
      const history = input.full ? 'full' : 'none';
      await queueScans(sql, {
        repositoryIds: rows.map((row) => row.id),
        trigger: 'manual',
        history,
        requestId: input.requestId ?? null,
        now: input.now,
      });
      await sql.run(
        `update scan set priority = least(priority, $2), request_id = coalesce(request_id, $4), next_try_at = null,
           requeues = case when status = 'queued' then 0 else requeues end,
           trigger = case when status = 'queued' and trigger in ('history', 'rules') then 'manual' else trigger end,
           history = case when $3 and status = 'queued' then 'full'
             when status = 'queued' and trigger = 'history' then 'none' else history end,
           full_again = full_again or ($3 and status = 'running' and history <> 'full')
         where integration_id = $1 and status in ('queued', 'running')`,
        [input.integrationId, SCAN_PRIORITY.manual, input.full, input.requestId ?? null],
      );
      const waiting = await sql.first<{ count: number }>(
        `select count(*)::int as count from scan where integration_id = $1 and status in ('queued', 'running')`,
        [input.integrationId],
      );
      return waiting?.count ?? 0;
    },
  };
}
