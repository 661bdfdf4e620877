import type { FindingStatus, ScannedFinding } from '../../domain/finding.ts';
import { newId } from '../new-id.ts';
import type { Sql } from '../sql.ts';
import { jsonText } from '../sql.ts';

export interface FindingChange {
  opened: { id: string; ruleId: string; severity: string }[];
  reopened: { id: string; ruleId: string; severity: string }[];
  fixed: { id: string; ruleId: string; severity: string }[];
  open: number;
}

/** What a scanner searched for: these rules, in every file but these. */
export interface SearchedBy {
  scanner: string;
  ruleIds: readonly string[];
  unreadPaths: readonly string[];
}

const UPSERT = `
with seen as (
  select * from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::jsonb[], $11::text[], $12::int[],
    $13::int[], $14::text[], $15::text[], $16::timestamptz[], $17::text[], $18::text[])
  as t (id, kind, scanner, rule_id, title, severity, cwe, path, start_line, end_line, commit, author, committed_at, excerpt, fingerprint)),
before as (
  select f.fingerprint, f.status from finding f where f.repository_id = $2 and f.fingerprint = any($18::text[])),
written as (
  insert into finding as f (id, integration_id, repository_id, kind, scanner, rule_id, title, severity, cwe, path, start_line, end_line,
    commit, author, committed_at, excerpt, fingerprint, at_head, status, first_seen_at, last_seen_at, last_scan_id)
  select seen.id, $1, $2, seen.kind, seen.scanner, seen.rule_id, seen.title, seen.severity, seen.cwe, seen.path, seen.start_line,
    seen.end_line, seen.commit, seen.author, seen.committed_at, seen.excerpt, seen.fingerprint, $20 or seen.kind <> 'secret', 'open', $19, $19, $3
  from seen
  on conflict (repository_id, fingerprint) do update set
    title = excluded.title, severity = excluded.severity, cwe = excluded.cwe, start_line = excluded.start_line,
    end_line = excluded.end_line, commit = excluded.commit, author = excluded.author, committed_at = excluded.committed_at,
    excerpt = excluded.excerpt, at_head = f.at_head or excluded.at_head, last_seen_at = excluded.last_seen_at,
    last_scan_id = excluded.last_scan_id,
    status = case when f.status in ('fixed', 'removed') then 'open' else f.status end
  returning f.id, f.rule_id, f.severity, f.fingerprint)
select written.id, written.rule_id as "ruleId", written.severity, before.status as "oldStatus"
from written left join before using (fingerprint)`;

/** Result of one scan. */
interface ScanFindings {
  integrationId: string;
  repositoryId: string;
  scanId: string;
  findings: readonly ScannedFinding[];
  /** Scanners whose findings are complete in this scan. */
  searched: readonly SearchedBy[];
  wholeHistory: boolean;
  now: Date;
}

export function createFindingStore(sql: Sql) {
  return {
    /**
     * Stores the result of one scan, in the transaction that ends it: a finding that was found again keeps its row. One
     * that was not found is `fixed` only when it was searched for again: its scanner ended well, its rule is in force, and
     * its file was read or is gone. Only secrets are searched for in the history; everything else is at the head.
     */
    async store(input: ScanFindings): Promise<FindingChange> {
      const written = await upsertFindings(sql, input);
      return {
        opened: written.filter((row) => row.oldStatus === null),
        reopened: written.filter((row) => row.oldStatus === 'fixed' || row.oldStatus === 'removed'),
        fixed: await markFixed(sql, input),
        open: await this.recount(input.repositoryId),
      };
    },

    /** Updates a repository's counters of open findings. @returns the number of open findings */
    async recount(repositoryId: string): Promise<number> {
      const row = await sql.first<{ open: number }>(
        `update repository set (open_critical, open_high, open_medium, open_low) = (
           select count(*) filter (where severity = 'critical'), count(*) filter (where severity = 'high'),
             count(*) filter (where severity = 'medium'), count(*) filter (where severity = 'low')
           from finding where repository_id = $1 and status = 'open')
         where id = $1 returning open_critical + open_high + open_medium + open_low as open`,
        [repositoryId],
      );
      return row?.open ?? 0;
    },

    /** Updates the repository of a finished scan. */
    async markScanned(input: {
      repositoryId: string;
      scanId: string;
      commit: string | null;
      rules: string | null;
      succeeded: boolean;
      now: Date;
    }): Promise<void> {
      await sql.run(
        `update repository set last_scan_id = $2, checked_at = $6, updated_at = $6,
           head_commit = case when $5 then $3 else head_commit end,
           scanned_rules = case when $5 then $4 else scanned_rules end,
           scanned_at = case when $5 then $6 else scanned_at end
         where id = $1`,
        [input.repositoryId, input.scanId, input.commit, input.rules, input.succeeded, input.now],
      );
    },
  };
}

type WrittenFinding = { id: string; ruleId: string; severity: string; oldStatus: FindingStatus | null };

async function upsertFindings(sql: Sql, input: ScanFindings): Promise<WrittenFinding[]> {
  if (input.findings.length === 0) return [];
  // a duplicate fingerprint would make the statement fail
  const findings = [...new Map(input.findings.map((f) => [f.fingerprint, f])).values()];
  return sql.rows<WrittenFinding>(UPSERT, [
    input.integrationId,
    input.repositoryId,
    input.scanId,
    findings.map(() => newId('finding')),
    findings.map((f) => f.kind),
    findings.map((f) => f.scanner),
    findings.map((f) => f.ruleId),
    findings.map((f) => f.title),
    findings.map((f) => f.severity),
    findings.map((f) => jsonText(f.cwe)),
    findings.map((f) => f.path),
    findings.map((f) => f.startLine),
    findings.map((f) => f.endLine),
    findings.map((f) => f.commit),
    findings.map((f) => f.author),
    findings.map((f) => f.committedAt),
    findings.map((f) => f.excerpt),
    findings.map((f) => f.fingerprint),
    input.now,
    !input.wholeHistory,
  ]);
}

/** Marks open findings as fixed that this scan searched for and did not find. */
function markFixed(sql: Sql, input: ScanFindings): Promise<FindingChange['fixed']> {
  return sql.rows(
    `update finding set status = 'fixed'
     where repository_id = $1 and status = 'open' and last_scan_id <> $2 and (at_head or $4)
       and scanner || ' ' || rule_id = any($3::text[]) and not (scanner || ' ' || path = any($5::text[]))
     returning id, rule_id as "ruleId", severity`,
    [
      input.repositoryId,
      input.scanId,
      input.searched.flatMap(({ scanner, ruleIds }) => ruleIds.map((ruleId) => `${scanner} ${ruleId}`)),
      input.wholeHistory,
      input.searched.flatMap(({ scanner, unreadPaths }) => unreadPaths.map((path) => `${scanner} ${path}`)),
    ],
  );
}
