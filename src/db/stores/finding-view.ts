import type { FindingKind, FindingStatus, Severity } from '../../domain/finding.ts';
import { FINDING_KINDS, FINDING_STATUSES, SEVERITIES } from '../../domain/finding.ts';
import type { Triage } from '../entities/scan.ts';
import type { Condition, ListInput } from '../list-query.ts';
import { anyOf, contains, listPage, numbered } from '../list-query.ts';
import type { Page } from '../rows.ts';
import { dateOf, dateOrNull } from '../rows.ts';
import type { Sql } from '../sql.ts';

export interface FindingView {
  id: string;
  repositoryId: string;
  baseUrl: string;
  fullPath: string;
  kind: FindingKind;
  scanner: string;
  ruleId: string;
  title: string;
  severity: Severity;
  cwe: string[];
  path: string;
  startLine: number;
  endLine: number;
  /** The commit that introduced it; if only the head was read, the commit in which it was found. */
  commit: string;
  author: string | null;
  committedAt: Date | null;
  /** The commit for which path and lines are valid. */
  placeCommit: string;
  atHead: boolean;
  /** When it last appeared at the head, or disappeared from it. */
  headChangedAt: Date | null;
  excerpt: string;
  fingerprint: string;
  status: FindingStatus;
  triage: Triage | null;
  firstSeenAt: Date;
  lastSeenAt: Date;
}

export interface FindingFilter {
  integrationId?: string[] | undefined;
  repositoryId?: string[] | undefined;
  status?: string[] | undefined;
  severity?: string[] | undefined;
  kind?: string[] | undefined;
  atHead?: boolean | undefined;
  q?: string | undefined;
}

export interface FindingSummary {
  total: number;
  bySeverity: Record<Severity, number>;
  byKind: Record<FindingKind, number>;
  byStatus: Record<FindingStatus, number>;
}

interface FindingRow {
  id: string;
  sort_value: string;
  repository_id: string;
  base_url: string;
  full_path: string;
  kind: FindingKind;
  scanner: string;
  rule_id: string;
  title: string;
  severity: Severity;
  cwe: string[];
  path: string;
  start_line: number;
  end_line: number;
  commit: string;
  author: string | null;
  committed_at: string | null;
  introduced_commit: string | null;
  introduced_author: string | null;
  introduced_at: string | null;
  at_head: boolean;
  head_changed_at: string | null;
  excerpt: string;
  fingerprint: string;
  status: FindingStatus;
  triage: Triage | null;
  first_seen_at: string;
  last_seen_at: string;
}

export const FINDING_FROM = `from finding f
join integration i on i.id = f.integration_id and i.removed_at is null
join repository r on r.id = f.repository_id`;

const SEVERITY_ORDER = `case f.severity when 'critical' then 1 when 'high' then 2 when 'medium' then 3 else 4 end`;

export function createFindingViewStore(sql: Sql) {
  return {
    ...createFindingPages(sql),
    ...createFindingCounts(sql),
  };
}

/** Reads findings. */
function createFindingPages(sql: Sql) {
  return {
    async find(id: string): Promise<FindingView | null> {
      const row = await sql.first<FindingRow>(
        `select f.*, i.base_url, r.full_path, '' as sort_value ${FINDING_FROM} where f.id = $1`,
        [id],
      );
      return row === null ? null : viewOf(row);
    },

    async list(filter: FindingFilter, list: ListInput): Promise<Page<FindingView>> {
      return listPage<FindingRow, FindingView>({
        sql,
        select: `select f.*, i.base_url, r.full_path /*sort*/ ${FINDING_FROM}`,
        conditions: findingConditions(filter),
        columns: {
          severity: { expression: SEVERITY_ORDER, cast: 'int' },
          firstSeenAt: { expression: 'f.first_seen_at', cast: 'timestamptz' },
          lastSeenAt: { expression: 'f.last_seen_at', cast: 'timestamptz' },
          path: { expression: 'f.path', cast: 'text' },
        },
        defaultSort: 'severity',
        idColumn: 'f.id',
        list,
        item: viewOf,
      });
    },

    /** Matches sorted by id, after a given id, so that changes between two calls neither skip nor repeat a finding. */
    async byId(input: {
      filter: FindingFilter;
      afterId: string | null;
      limit: number;
    }): Promise<FindingView[]> {
      const { text, params } = numbered([
        ...findingConditions(input.filter),
        { text: 'f.id > ?', params: [input.afterId ?? ''] },
      ]);
      const rows = await sql.rows<FindingRow>(
        `select f.*, i.base_url, r.full_path, '' as sort_value ${FINDING_FROM}
         where ${text} order by f.id limit ${input.limit}`,
        params,
      );
      return rows.map(viewOf);
    },
  };
}

/** Counts findings. */
function createFindingCounts(sql: Sql) {
  return {
    /** Counts matches: total, by severity, kind and status. */
    async summary(filter: FindingFilter): Promise<FindingSummary> {
      const { text, params } = numbered(findingConditions(filter));
      const rows = await sql.rows<{
        severity: Severity;
        kind: FindingKind;
        status: FindingStatus;
        n: number;
      }>(
        `select f.severity, f.kind, f.status, count(*)::int as n ${FINDING_FROM}
         ${text === '' ? '' : `where ${text}`} group by 1, 2, 3`,
        params,
      );
      const sumOf = <K extends string>(values: readonly K[], of: (row: (typeof rows)[number]) => K) =>
        Object.fromEntries(
          values.map((value) => [
            value,
            rows.reduce((sum, row) => (of(row) === value ? sum + row.n : sum), 0),
          ]),
        ) as Record<K, number>;
      return {
        total: rows.reduce((sum, row) => sum + row.n, 0),
        bySeverity: sumOf(SEVERITIES, (row) => row.severity),
        byKind: sumOf(FINDING_KINDS, (row) => row.kind),
        byStatus: sumOf(FINDING_STATUSES, (row) => row.status),
      };
    },

    /** Open findings by severity, from the repositories' counters. */
    async openBySeverity(): Promise<{ critical: number; high: number; medium: number; low: number }> {
      const row = await sql.first<{ critical: number; high: number; medium: number; low: number }>(
        `select coalesce(sum(open_critical), 0)::int as critical, coalesce(sum(open_high), 0)::int as high,
           coalesce(sum(open_medium), 0)::int as medium, coalesce(sum(open_low), 0)::int as low
         from repository r join integration i on i.id = r.integration_id and i.removed_at is null`,
      );
      return row ?? { critical: 0, high: 0, medium: 0, low: 0 };
    },
  };
}

export function findingConditions(filter: FindingFilter): Condition[] {
  const conditions = [
    ...anyOf('f.integration_id', filter.integrationId),
    ...anyOf('f.repository_id', filter.repositoryId),
    ...anyOf('f.status', filter.status),
    ...anyOf('f.severity', filter.severity),
    ...anyOf('f.kind', filter.kind),
    ...(filter.atHead === undefined ? [] : anyOf('f.at_head::text', [String(filter.atHead)])),
  ];
  const q = contains(`(f.title || ' ' || f.rule_id || ' ' || f.path || ' ' || r.full_path)`, filter.q);
  return [...conditions, ...q];
}

function introductionOf(row: FindingRow): Pick<FindingView, 'commit' | 'author' | 'committedAt'> {
  const { introduced_commit: commit, introduced_author: author, introduced_at: at } = row;
  if (commit === null)
    return { commit: row.commit, author: row.author, committedAt: dateOrNull(row.committed_at) };
  return { commit, author, committedAt: dateOrNull(at) };
}

function viewOf(row: FindingRow): FindingView {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    baseUrl: row.base_url,
    fullPath: row.full_path,
    kind: row.kind,
    scanner: row.scanner,
    ruleId: row.rule_id,
    title: row.title,
    severity: row.severity,
    cwe: row.cwe,
    path: row.path,
    startLine: row.start_line,
    endLine: row.end_line,
    ...introductionOf(row),
    placeCommit: row.commit,
    atHead: row.at_head,
    headChangedAt: dateOrNull(row.head_changed_at),
    excerpt: row.excerpt,
    fingerprint: row.fingerprint,
    status: row.status,
    triage: row.triage,
    firstSeenAt: dateOf(row.first_seen_at),
    lastSeenAt: dateOf(row.last_seen_at),
  };
}
