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

/** True if this scan knows the commit that introduced a finding: always after the whole history, else for a new or returned one. */
const KNOWS_INTRODUCTION = `(excluded.introduced_commit is not null and ($20 or f.introduced_commit is null or f.status = 'fixed'))`;
/** True if a fixed finding returned: at the head, or in a commit that was not read before. Known commits do not reopen it. */
const IS_BACK = `(excluded.at_head or (not $20 and excluded.introduced_commit is distinct from f.introduced_commit))`;

const UPSERT = `
with found as (
  select * from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::jsonb[], $11::text[], $12::int[],
    $13::int[], $14::text[], $15::text[], $16::timestamptz[], $17::text[], $18::text[], $21::boolean[], $22::text[], $23::text[],
    $24::timestamptz[])
  as t (id, kind, scanner, rule_id, title, severity, cwe, path, start_line, end_line, commit, author, committed_at, excerpt, fingerprint,
    at_head, introduced_commit, introduced_author, introduced_at)),
before as (
  select f.fingerprint, f.status from finding f where f.repository_id = $2 and f.fingerprint = any($18::text[])),
written as (
  insert into finding as f (id, integration_id, repository_id, kind, scanner, rule_id, title, severity, cwe, path, start_line, end_line,
    commit, author, committed_at, excerpt, fingerprint, at_head, head_changed_at, introduced_commit, introduced_author, introduced_at, status,
    first_seen_at, last_seen_at, last_scan_id)
  select found.id, $1, $2, found.kind, found.scanner, found.rule_id, found.title, found.severity, found.cwe, found.path, found.start_line,
    found.end_line, found.commit, found.author, found.committed_at, found.excerpt, found.fingerprint, found.at_head, $19, found.introduced_commit, found.introduced_author, found.introduced_at, 'open',
    $19, $19, $3
  from found
  on conflict (repository_id, fingerprint) do update set
    title = excluded.title, severity = excluded.severity, cwe = excluded.cwe, start_line = excluded.start_line,
    end_line = excluded.end_line, commit = excluded.commit, author = excluded.author, committed_at = excluded.committed_at,
    excerpt = excluded.excerpt, last_seen_at = excluded.last_seen_at, last_scan_id = excluded.last_scan_id,
    at_head = excluded.at_head,
    head_changed_at = case when f.at_head = excluded.at_head then f.head_changed_at else excluded.head_changed_at end,
    introduced_commit = case when ${KNOWS_INTRODUCTION} then excluded.introduced_commit else f.introduced_commit end,
    introduced_author = case when ${KNOWS_INTRODUCTION} then excluded.introduced_author else f.introduced_author end,
    introduced_at = case when ${KNOWS_INTRODUCTION} then excluded.introduced_at else f.introduced_at end,
    status = case when f.status = 'removed' or (f.status = 'fixed' and ${IS_BACK}) then 'open' else f.status end
  returning f.id, f.rule_id, f.severity, f.fingerprint, f.status)
select written.id, written.rule_id as "ruleId", written.severity, written.status, before.status as "oldStatus"
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
     * that was not found is `fixed` only when it was searched for again: its scanner succeeded, its rule is in force, and
     * its file was read or is gone. Only secrets are searched for in the history; everything else is at the head.
     */
    async store(input: ScanFindings): Promise<FindingChange> {
      const written = await upsertFindings(sql, input);
      return {
        opened: written.filter((row) => row.oldStatus === null),
        reopened: written.filter(({ status, oldStatus }) => status === 'open' && isGone(oldStatus)),
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

type WrittenFinding = {
  id: string;
  ruleId: string;
  severity: string;
  status: FindingStatus;
  oldStatus: FindingStatus | null;
};

const isGone = (status: FindingStatus | null) => status === 'fixed' || status === 'removed';

async function upsertFindings(sql: Sql, input: ScanFindings): Promise<WrittenFinding[]> {
  if (input.findings.length === 0) return [];
  // a duplicate fingerprint would make the statement fail; of two, the one at the head is stored
  const headLast = input.findings.toSorted((a, b) => Number(a.atHead) - Number(b.atHead));
  const findings = [...new Map(headLast.map((f) => [f.fingerprint, f])).values()];
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
    input.wholeHistory,
    findings.map((f) => f.atHead),
    findings.map((f) => f.introduced?.commit ?? null),
    findings.map((f) => f.introduced?.author ?? null),
    findings.map((f) => f.introduced?.at ?? null),
  ]);
}

/** Marks open findings as fixed that this scan searched for and did not find; ignored ones leave the head. */
function markFixed(sql: Sql, input: ScanFindings): Promise<FindingChange['fixed']> {
  return sql.rows(
    `with gone as (update finding set status = case when status = 'open' then 'fixed' else status end, at_head = false,
       head_changed_at = case when at_head then $6 else head_changed_at end
     where repository_id = $1 and last_scan_id <> $2
       and (status = 'open' and (at_head or $4) or status = 'ignored' and at_head)
       and scanner || ' ' || rule_id = any($3::text[]) and not (scanner || ' ' || path = any($5::text[]))
     returning id, rule_id as "ruleId", severity, status)
     select id, "ruleId", severity from gone where status = 'fixed'`,
    [
      input.repositoryId,
      input.scanId,
      input.searched.flatMap(({ scanner, ruleIds }) => ruleIds.map((ruleId) => `${scanner} ${ruleId}`)),
      input.wholeHistory,
      input.searched.flatMap(({ scanner, unreadPaths }) => unreadPaths.map((path) => `${scanner} ${path}`)),
      input.now,
    ],
  );
}
