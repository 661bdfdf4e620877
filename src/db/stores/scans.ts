import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { ScanCause } from '../../domain/causes.ts';
import type {
  IncompleteReason,
  ScanHistory,
  ScannedRef,
  ScannerRun,
  ScanOutcome,
  ScanPhase,
  ScanTrigger,
} from '../../domain/scan.ts';
import { SCAN_PRIORITY } from '../../domain/scan.ts';
import { Scan } from '../entities/scan.ts';
import { newId } from '../new-id.ts';
import { dateOrNull } from '../rows.ts';
import type { Sql } from '../sql.ts';
import { jsonText } from '../sql.ts';

/** A started scan, fenced by its attempt number. */
export interface BegunScan {
  id: string;
  attempt: number;
  history: ScanHistory;
  trigger: ScanTrigger;
  requestId: string | null;
  /** How often it was queued again before. */
  requeues: number;
}

/** Facts about a scan that has just ended. Times in ms; `null` when no attempt started. */
export interface EndedRow {
  repositoryId: string;
  integrationId: string;
  fullAgain: boolean;
  trigger: ScanTrigger;
  requestId: string | null;
  waitedMs: number | null;
  tookMs: number | null;
}

const INSERT_QUEUED = `
insert into scan (id, integration_id, repository_id, trigger, priority, status, history, attempt, requeues, full_again, queued_at, request_id)
select t.id, r.integration_id, r.id, $3, $4, 'queued', $5, 0, 0, false, $6, $7
from unnest($1::text[], $2::text[]) as t (id, repository_id) join repository r on r.id = t.repository_id
on conflict (repository_id) where status in ('queued', 'running') do nothing`;

export function createScanStore({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    /** Queues scans for these repositories; an open scan is joined. @returns the number of new scans */
    async queue(input: {
      repositoryIds: readonly string[];
      trigger: ScanTrigger;
      history: ScanHistory;
      /** Id of the request that caused them; joined scans keep theirs. */
      requestId?: string | null;
      now: Date;
    }): Promise<number> {
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
    },

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
        await this.queue({ ...input, repositoryIds: [input.repositoryId], trigger: 'manual', history });
        const joined = await sql.first<{ id: string }>(
          `update scan set
             priority = least(priority, $3),
             next_try_at = null,
             requeues = case when status = 'queued' then 0 else requeues end,
             request_id = coalesce(request_id, $4),
             history = case when $2 and status = 'queued' then 'full' else history end,
             full_again = full_again or ($2 and status = 'running' and history <> 'full')
           where repository_id = $1 and status in ('queued', 'running') returning id`,
          [input.repositoryId, input.full, SCAN_PRIORITY.manual, input.requestId ?? null],
        );
        if (joined !== null) return joined.id;
      }
    },

    /** Queues scans for new repositories and for those last scanned with other rules. @returns the number of new scans */
    async queueUnseen(input: {
      integrationId: string;
      trigger: ScanTrigger;
      rules: string;
      requestId: string | null;
      now: Date;
    }): Promise<number> {
      const rows = await sql.rows<{ id: string }>(
        `select r.id from repository r where r.integration_id = $1 and r.state = 'active'
           and (r.checked_at is null or (r.scanned_rules is not null and r.scanned_rules <> $2))
           and not exists (select 1 from scan s where s.repository_id = r.id and s.status in ('queued', 'running'))`,
        [input.integrationId, input.rules],
      );
      return this.queue({
        repositoryIds: rows.map((row) => row.id),
        trigger: input.trigger,
        history: 'none',
        requestId: input.requestId,
        now: input.now,
      });
    },

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
      await this.queue({
        repositoryIds: rows.map((row) => row.id),
        trigger: 'manual',
        history,
        requestId: input.requestId ?? null,
        now: input.now,
      });
      await sql.run(
        `update scan set priority = least(priority, $2), request_id = coalesce(request_id, $4), next_try_at = null,
           requeues = case when status = 'queued' then 0 else requeues end,
           history = case when $3 and status = 'queued' then 'full' else history end,
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

    /** Queued scans that the fleet has not taken yet and that may start now, most urgent first. */
    async listQueued(input: { integrationId: string; exclude: readonly string[]; limit: number; now: Date }) {
      return sql.rows<{ scanId: string; repositoryId: string }>(
        `select id as "scanId", repository_id as "repositoryId" from scan
         where integration_id = $1 and status = 'queued' and id <> all($2::text[])
           and (next_try_at is null or next_try_at <= $4)
         order by priority, id limit $3`,
        [input.integrationId, input.exclude, input.limit, input.now],
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

    /** Resets retry delays after an outage: it was no failure of the repositories. */
    async forgetRequeues(integrationId: string): Promise<void> {
      await sql.run(
        `update scan set requeues = 0, next_try_at = null where integration_id = $1 and status = 'queued' and requeues > 0`,
        [integrationId],
      );
    },

    /** Starts an attempt; `null` when the scan has ended or was canceled. */
    async begin({ id, now }: { id: string; now: Date }): Promise<BegunScan | null> {
      return sql.first<BegunScan>(
        `update scan set status = 'running', phase = 'cloning', attempt = attempt + 1, started_at = coalesce(started_at, $2), cause = null,
           next_try_at = null
         where id = $1 and status in ('queued', 'running') and cancel_requested_at is null
         returning id, attempt, history, trigger, request_id as "requestId", requeues`,
        [id, now],
      );
    },

    /** @returns false when a newer attempt or a cancellation came first: the caller must stop */
    async enterPhase(input: { scan: BegunScan; phase: ScanPhase; commit?: string }): Promise<boolean> {
      const changed = await sql.run(
        `update scan set phase = $3, commit = coalesce($4, commit)
         where id = $1 and attempt = $2 and status = 'running' and cancel_requested_at is null`,
        [input.scan.id, input.scan.attempt, input.phase, input.commit ?? null],
      );
      return changed === 1;
    },

    /**
     * Ends the scan of this attempt; without an attempt, whichever is open (its workflow failed or was canceled).
     * @returns the repository and the follow-up; `null` when the scan had already ended
     */
    async end(input: {
      id: string;
      attempt: number | null;
      status: 'succeeded' | 'failed' | 'canceled';
      outcome: ScanOutcome | null;
      cause: ScanCause | null;
      commit: string | null;
      cloneBytes: number | null;
      cloneMs: number | null;
      refs?: readonly ScannedRef[];
      incompleteBecause?: readonly IncompleteReason[];
      now: Date;
    }): Promise<EndedRow | null> {
      return sql.first(
        `update scan set status = $3, outcome = $4, cause = $5, commit = coalesce($6, commit), clone_bytes = coalesce($7, clone_bytes),
           clone_ms = coalesce($8, clone_ms), finished_at = $9, phase = null, refs = $10, incomplete_because = $11
         where id = $1 and ($2::int is null or attempt = $2) and status in ('queued', 'running')
         returning repository_id as "repositoryId", integration_id as "integrationId", full_again as "fullAgain", trigger, request_id as "requestId",
           (extract(epoch from started_at - queued_at) * 1000)::float8 as "waitedMs",
           (extract(epoch from $9::timestamptz - started_at) * 1000)::float8 as "tookMs"`,
        [
          input.id,
          input.attempt,
          input.status,
          input.outcome,
          input.cause,
          input.commit,
          input.cloneBytes,
          input.cloneMs,
          input.now,
          jsonText(input.refs ?? []),
          jsonText(input.incompleteBecause ?? []),
        ],
      );
    },

    /**
     * Queues the scan again, with the reason and the earliest start.
     * @returns false when it has ended, or a newer attempt has started
     */
    async requeue(input: {
      id: string;
      attempt: number | null;
      cause: ScanCause | null;
      counts: boolean;
      nextTryAt: Date | null;
    }): Promise<boolean> {
      const changed = await sql.run(
        `update scan set status = 'queued', phase = null, cause = $3, requeues = requeues + $4::int, next_try_at = $5
         where id = $1 and ($2::int is null or attempt = $2) and status = 'running'`,
        [input.id, input.attempt, input.cause, input.counts ? 1 : 0, input.nextTryAt],
      );
      return changed === 1;
    },

    async recordScanners({ scanId, runs }: { scanId: string; runs: readonly ScannerRun[] }): Promise<void> {
      await sql.run(`delete from scanner_run where scan_id = $1`, [scanId]);
      for (const run of runs) {
        await sql.run(
          `insert into scanner_run (scan_id, name, version, rules, status, cause, findings, files_scanned, files_skipped, duration_ms)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
          [
            scanId,
            run.name,
            run.version,
            run.rules,
            run.status,
            run.cause,
            run.findings,
            run.filesScanned,
            jsonText(run.filesSkipped),
            run.durationMs,
          ],
        );
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

    async find(id: string): Promise<Scan | null> {
      return em().findOne(Scan, { id });
    },

    /** Running scans, in pages, for the reconcile workflow. */
    async running(input: { after: string; limit: number }) {
      return sql.rows<{ id: string; repositoryId: string; integrationId: string }>(
        `select id, repository_id as "repositoryId", integration_id as "integrationId" from scan
         where status = 'running' and id > $1 order by id limit $2`,
        [input.after, input.limit],
      );
    },

    /** Integrations with queued scans. */
    async integrationsWaiting(): Promise<string[]> {
      const rows = await sql.rows<{ integration_id: string }>(
        `select distinct integration_id from scan where status = 'queued'`,
      );
      return rows.map((row) => row.integration_id);
    },

    async removeOlderThan(before: Date): Promise<number> {
      return sql.run(
        `delete from scan s where s.finished_at < $1 and not exists (select 1 from repository r where r.last_scan_id = s.id)
           and not exists (select 1 from finding f where f.last_scan_id = s.id)`,
        [before],
      );
    },
  };
}
