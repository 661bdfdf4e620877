import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { ScanCause } from '../../domain/causes.ts';
import type { HistoryCause } from '../../domain/history.ts';
import type { Branches, HistoryMode } from '../../domain/integration.ts';
import type { Exclusion, ListedRepository, RepositoryState } from '../../domain/repository.ts';
import type { ScanOutcome, ScanStatus } from '../../domain/scan.ts';
import { Repository } from '../entities/repository.ts';
import type { Condition, ListInput } from '../list-query.ts';
import { anyOf, contains, listPage } from '../list-query.ts';
import type { Page } from '../rows.ts';
import { dateOrNull } from '../rows.ts';
import type { Sql } from '../sql.ts';

export interface RepositoryView {
  id: string;
  integrationId: string;
  baseUrl: string;
  gitlabProjectId: number;
  fullPath: string;
  defaultBranch: string | null;
  visibility: string;
  state: RepositoryState;
  excludedBecause: Exclusion | null;
  lastActivityAt: Date | null;
  lastScan: {
    id: string;
    status: ScanStatus;
    outcome: ScanOutcome | null;
    commit: string | null;
    finishedAt: Date | null;
    cause: ScanCause | null;
    /** Applicable scanners that did not end `ok`. */
    missingScanners: string[];
  } | null;
  open: { critical: number; high: number; medium: number; low: number };
  history: {
    /** Of its integration; `null` = as the settings say. */
    mode: HistoryMode | null;
    cause: HistoryCause | null;
    readAt: Date | null;
    /** By name, at most 100. */
    refs: { name: string; commit: string; scannedAt: string }[];
  };
}

interface RepositoryRow {
  id: string;
  sort_value: string;
  integration_id: string;
  base_url: string;
  gitlab_project_id: string;
  full_path: string;
  default_branch: string | null;
  visibility: string;
  state: RepositoryState;
  excluded_because: Exclusion | null;
  last_activity_at: string | null;
  scan_id: string | null;
  scan_status: ScanStatus;
  scan_outcome: ScanOutcome | null;
  scan_commit: string | null;
  scan_finished_at: string | null;
  scan_cause: ScanCause | null;
  scan_missing: string[];
  open_critical: number;
  open_high: number;
  open_medium: number;
  open_low: number;
  history_mode: HistoryMode | null;
  history_cause: HistoryCause | null;
  history_read_at: string | null;
  history_refs: RepositoryView['history']['refs'];
}

const SELECT = `
select r.id, r.integration_id, i.base_url, r.gitlab_project_id, r.full_path, r.default_branch, r.visibility, r.state,
  r.excluded_because, r.last_activity_at, r.open_critical, r.open_high, r.open_medium, r.open_low,
  s.id as scan_id, s.status as scan_status, s.outcome as scan_outcome, s.commit as scan_commit, s.finished_at as scan_finished_at,
  s.cause as scan_cause, array(select n.name from scanner_run n
    where n.scan_id = s.id and n.status in ('failed', 'unavailable') order by n.name) as scan_missing,
  i.history as history_mode, r.history_cause, r.history_read_at,
  (select coalesce(jsonb_agg(jsonb_build_object('name', f.name, 'commit', f.commit, 'scannedAt', f.scanned_at) order by f.name), '[]')
    from (select * from scanned_ref where repository_id = r.id order by name limit 100) f) as history_refs
  /*sort*/
from repository r
join integration i on i.id = r.integration_id and i.removed_at is null
left join scan s on s.id = r.last_scan_id`;

export function createRepositoryStore({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    ...createRepositoryLookups({ em, sql }),
    ...createRepositoryViews(sql),
    ...createHeadChecks(sql),
  };
}

/** Single rows, and rows as a listing reads them. */
function createRepositoryLookups({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    async find(id: string): Promise<Repository | null> {
      return em().findOne(Repository, { id });
    },

    /** The repository of a GitLab project, and the branches that its integration watches. */
    async findByProject(input: { integrationId: string; gitlabProjectId: number }) {
      return sql.first<{
        id: string;
        state: RepositoryState;
        defaultBranch: string | null;
        branches: Branches;
      }>(
        `select r.id, r.state, r.default_branch as "defaultBranch", i.branches
         from repository r join integration i on i.id = r.integration_id and i.removed_at is null
         where r.integration_id = $1 and r.gitlab_project_id = $2`,
        [input.integrationId, input.gitlabProjectId],
      );
    },

    /** By path, case-insensitively. If several repositories had this path, returns the one that still exists. */
    async findByPath({ integrationId, path }: { integrationId: string; path: string }) {
      return sql.first<{
        fullPath: string;
        state: RepositoryState;
        excludedBecause: Exclusion | null;
        held: boolean;
      }>(
        `select r.full_path as "fullPath", r.state, r.excluded_because as "excludedBecause",
           i.brake_held is not null and r.missed_by_sync_id is not null as held
         from repository r join integration i on i.id = r.integration_id
         where r.integration_id = $1 and lower(r.full_path) = lower($2)
         order by (r.state = 'removed'), r.id desc limit 1`,
        [integrationId, path],
      );
    },

    /** Listed rows in pages by id, for a filter preview. */
    async listedRows(input: { integrationId: string; after: string; limit: number }) {
      return sql.rows<ListedRepository & { id: string; state: RepositoryState }>(
        `select id, gitlab_project_id::float8 as "gitlabProjectId", full_path as "fullPath", default_branch as "defaultBranch",
           visibility, null as "lastActivityAt", empty, archived, fork, personal, pending_deletion as "pendingDeletion",
           repository_disabled as "repositoryDisabled", state
         from repository
         where integration_id = $1 and id > $2 and state in ('active', 'empty', 'excluded')
           and excluded_because is distinct from 'access_too_low'
         order by id limit $3`,
        [input.integrationId, input.after, input.limit],
      );
    },
  };
}

/** Repositories with their last scan, as the API shows them. */
function createRepositoryViews(sql: Sql) {
  return {
    async findView(id: string): Promise<RepositoryView | null> {
      const row = await sql.first<RepositoryRow>(`${SELECT} where r.id = $1`, [id]);
      return row === null ? null : viewOf(row);
    },

    async list(
      filter: { integrationId?: string[] | undefined; state?: string[] | undefined; q?: string | undefined },
      list: ListInput,
    ): Promise<Page<RepositoryView>> {
      const conditions: Condition[] = [
        ...anyOf('r.integration_id', filter.integrationId),
        ...anyOf('r.state', filter.state),
        ...contains('r.full_path', filter.q),
      ];
      return listPage<RepositoryRow, RepositoryView>({
        sql,
        select: SELECT,
        conditions,
        columns: {
          fullPath: { expression: 'r.full_path', cast: 'text' },
          createdAt: { expression: 'r.id', cast: 'text' },
          lastActivityAt: { expression: `coalesce(r.last_activity_at, 'epoch')`, cast: 'timestamptz' },
        },
        defaultSort: 'fullPath',
        idColumn: 'r.id',
        list,
        item: viewOf,
      });
    },
  };
}

/** A repository whose head is checked. `headCommit`: the head at the last check. */
export interface CheckedHead {
  id: string;
  gitlabProjectId: number;
  fullPath: string;
  headCommit: string | null;
  defaultBranch: string | null;
}

const SELECT_HEAD = `
select r.id, r.gitlab_project_id::float8 as "gitlabProjectId", r.full_path as "fullPath", r.head_commit as "headCommit",
  r.default_branch as "defaultBranch"
from repository r`;

/** Checks of heads: which are due, and their results. */
function createHeadChecks(sql: Sql) {
  return {
    /** Records that the head was read. */
    async recordHead(input: { id: string; commit: string | null; now: Date }): Promise<void> {
      await sql.run(`update repository set checked_at = $3, head_commit = $2 where id = $1`, [
        input.id,
        input.commit,
        input.now,
      ]);
    },

    /** Counts a head that could not be read as checked at this time, so that it is due again later. */
    async postponeCheck(input: { id: string; checkedAt: Date }): Promise<void> {
      await sql.run(`update repository set checked_at = $2 where id = $1 and checked_at < $2`, [
        input.id,
        input.checkedAt,
      ]);
    },

    /** The time of the oldest head check; `null` = no head to check. */
    async oldestCheck(integrationId: string): Promise<Date | null> {
      const row = await sql.first<{ at: string }>(
        `select r.checked_at as at from repository r where r.integration_id = $1 and r.state = 'active' and r.checked_at is not null
           and not exists (select 1 from scan s where s.repository_id = r.id and s.status in ('queued', 'running'))
         order by r.checked_at limit 1`,
        [integrationId],
      );
      return dateOrNull(row?.at ?? null);
    },

    /** Active repositories whose head was last read before this time, the oldest first. */
    async staleHeads(input: { integrationId: string; before: Date; limit: number }): Promise<CheckedHead[]> {
      return sql.rows<CheckedHead>(
        `${SELECT_HEAD} where r.integration_id = $1 and r.state = 'active' and r.checked_at <= $2
           and not exists (select 1 from scan s where s.repository_id = r.id and s.status in ('queued', 'running'))
         order by r.checked_at limit $3`,
        [input.integrationId, input.before, input.limit],
      );
    },

    /**
     * Active repositories with activity since their head was last read (GitLab updates `last_activity_at` at most hourly,
     * hence the hour of overlap), and empty repositories whose head was never read.
     */
    async headsToCheck(input: {
      integrationId: string;
      limit: number;
      after: string;
    }): Promise<CheckedHead[]> {
      return sql.rows<CheckedHead>(
        `${SELECT_HEAD} where r.integration_id = $1 and r.id > $3
           and (r.state = 'active' and r.checked_at is not null or r.state = 'empty')
           and (r.checked_at is null or r.last_activity_at > r.checked_at - interval '1 hour')
           and not exists (select 1 from scan s where s.repository_id = r.id and s.status in ('queued', 'running'))
         order by r.id limit $2`,
        [input.integrationId, input.limit, input.after],
      );
    },
  };
}

function viewOf(row: RepositoryRow): RepositoryView {
  return {
    id: row.id,
    integrationId: row.integration_id,
    baseUrl: row.base_url,
    gitlabProjectId: Number(row.gitlab_project_id),
    fullPath: row.full_path,
    defaultBranch: row.default_branch,
    visibility: row.visibility,
    state: row.state,
    excludedBecause: row.excluded_because,
    lastActivityAt: dateOrNull(row.last_activity_at),
    lastScan:
      row.scan_id === null
        ? null
        : {
            id: row.scan_id,
            status: row.scan_status,
            outcome: row.scan_outcome,
            commit: row.scan_commit,
            finishedAt: dateOrNull(row.scan_finished_at),
            cause: row.scan_cause,
            missingScanners: row.scan_missing,
          },
    open: { critical: row.open_critical, high: row.open_high, medium: row.open_medium, low: row.open_low },
    history: {
      mode: row.history_mode,
      cause: row.history_cause,
      readAt: dateOrNull(row.history_read_at),
      refs: row.history_refs,
    },
  };
}
