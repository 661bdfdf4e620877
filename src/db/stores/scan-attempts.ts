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
  /** A scan with the whole history was requested while this one ran. */
  fullAgain: boolean;
  /** A webhook arrived after this attempt began. */
  again: boolean;
  trigger: ScanTrigger;
  requestId: string | null;
  waitedMs: number | null;
  tookMs: number | null;
}

const END_SCAN = `
update scan set status = $3, outcome = $4, cause = $5, commit = coalesce($6, commit), clone_bytes = coalesce($7, clone_bytes),
   clone_ms = coalesce($8, clone_ms), finished_at = $9, phase = null, refs = $10, incomplete_because = $11,
   history = coalesce($12, history)
 where id = $1 and ($2::int is null or attempt = $2) and status in ('queued', 'running')
 returning repository_id as "repositoryId", integration_id as "integrationId", full_again as "fullAgain", again, trigger, request_id as "requestId",
   (extract(epoch from started_at - queued_at) * 1000)::float8 as "waitedMs",
   (extract(epoch from $9::timestamptz - started_at) * 1000)::float8 as "tookMs"`;

/** The attempts of a scan; a write of an outdated attempt changes nothing. */
export function createScanAttempts(sql: Sql) {
  return {
    /** Starts an attempt; `null` when the scan has ended or was canceled. */
    async begin({ id, now }: { id: string; now: Date }): Promise<BegunScan | null> {
      return sql.first<BegunScan>(
        `update scan set status = 'running', phase = 'cloning', attempt = attempt + 1, started_at = coalesce(started_at, $2), cause = null,
           next_try_at = null, again = false
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
  };
}

/** The end of a scan and the results of its scanners. */
export function createScanResults(sql: Sql) {
  return {
    /**
     * Ends the scan of this attempt; without an attempt, the open one, because its workflow failed or was canceled.
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
      /** What was read of the history; without it, as it was queued. */
      history?: ScanHistory;
      refs?: readonly ScannedRef[];
      incompleteBecause?: readonly IncompleteReason[];
      now: Date;
    }): Promise<EndedRow | null> {
      return sql.first(END_SCAN, [
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
        input.history ?? null,
      ]);
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
  };
}
