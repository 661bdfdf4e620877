import type { Exclusion, ListedRepository, RepositoryState } from '../../domain/repository.ts';
import { newId } from '../new-id.ts';
import type { Sql } from '../sql.ts';

export type ClassifiedRepository = ListedRepository & {
  state: RepositoryState;
  excludedBecause: Exclusion | null;
};

/** A row that a page changed; unchanged rows are neither returned nor written. */
export interface ListingChange {
  id: string;
  fullPath: string;
  oldPath: string | null;
  state: RepositoryState;
  oldState: RepositoryState | null;
  excludedBecause: Exclusion | null;
}

/** The maximum of the column type. */
const MAX_ID = '9223372036854775807';

const LISTED_COLUMNS = [
  'full_path',
  'default_branch',
  'visibility',
  'last_activity_at',
  'empty',
  'archived',
  'fork',
  'personal',
  'pending_deletion',
  'repository_disabled',
  'state',
  'excluded_because',
];

/** An SQL condition: row `r` differs from the listed one, or an earlier listing missed it. */
function differsFrom(listed: 'page' | 'excluded'): string {
  const columns = (of: string) => LISTED_COLUMNS.map((name) => `${of}.${name}`).join(', ');
  return `(${columns('r')}, r.missed_by_sync_id) is distinct from (${columns(listed)}, null::varchar)`;
}

/**
 * One page in one statement. A repository that GitLab calls empty stays active once git has shown a commit. Unchanged
 * rows are filtered out first, because `on conflict` would lock them, which is a write.
 *
 * The `order by` makes the planner use the index over GitLab's ids. For a new integration it has no statistics, assumes
 * one row, and would otherwise read all its rows for each page.
 */
const UPSERT = `
with listed as (
  select * from unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bool[], $9::bool[],
    $10::bool[], $11::bool[], $12::bool[], $13::bool[], $14::text[], $15::text[])
  as t (id, gitlab_project_id, full_path, default_branch, visibility, last_activity_at, empty, archived, fork, personal,
    pending_deletion, repository_disabled, state, excluded_because)),
before as (
  select known.* from listed cross join lateral (
    select * from repository where integration_id = $1 and gitlab_project_id >= listed.gitlab_project_id
    order by gitlab_project_id limit 1) known
  where known.gitlab_project_id = listed.gitlab_project_id),
page as (
  select l.id, gitlab_project_id, l.full_path, l.default_branch, l.visibility, l.last_activity_at, l.empty, l.archived, l.fork,
    l.personal, l.pending_deletion, l.repository_disabled, l.excluded_because,
    case when l.state = 'empty' and before.head_commit is not null then 'active' else l.state end as state
  from listed l left join before using (gitlab_project_id)),
written as (
  insert into repository as r (id, integration_id, gitlab_project_id, full_path, default_branch, visibility, last_activity_at,
    empty, archived, fork, personal, pending_deletion, repository_disabled, state, excluded_because, missed_listings,
    open_critical, open_high, open_medium, open_low, created_at, updated_at)
  select page.id, $1, page.gitlab_project_id, page.full_path, page.default_branch, page.visibility, page.last_activity_at,
    page.empty, page.archived, page.fork, page.personal, page.pending_deletion, page.repository_disabled, page.state,
    page.excluded_because, 0, 0, 0, 0, 0, $16, $16
  from page left join before r using (gitlab_project_id)
  where r.id is null or ${differsFrom('page')}
  on conflict (integration_id, gitlab_project_id) do update set
    full_path = excluded.full_path, default_branch = excluded.default_branch, visibility = excluded.visibility,
    last_activity_at = excluded.last_activity_at, empty = excluded.empty, archived = excluded.archived, fork = excluded.fork,
    personal = excluded.personal, pending_deletion = excluded.pending_deletion,
    repository_disabled = excluded.repository_disabled, state = excluded.state, excluded_because = excluded.excluded_because,
    missed_listings = 0, missed_by_sync_id = null, updated_at = excluded.updated_at
  where ${differsFrom('excluded')}
  returning r.id, r.gitlab_project_id, r.full_path, r.state, r.excluded_because)
select written.id, written.full_path as "fullPath", before.full_path as "oldPath", written.state, before.state as "oldState",
  written.excluded_because as "excludedBecause"
from written left join before using (gitlab_project_id)`;

/** Applies what GitLab lists to the repository rows, page by page. */
export function createListingStore(sql: Sql) {
  return {
    ...createListedPages(sql),
    ...createMissedMarks(sql),
    ...createVanishedReads(sql),
    ...createKnownProjectIds(sql),
    ...createStateChanges(sql),
  };
}

/** Stores listed repositories. */
function createListedPages(sql: Sql) {
  return {
    /** Upserts one page in one statement. */
    async upsertPage(input: {
      integrationId: string;
      repositories: readonly ClassifiedRepository[];
      now: Date;
    }): Promise<ListingChange[]> {
      if (input.repositories.length === 0) return [];
      // a duplicate id would make the statement fail; the last one counts
      const page = [...new Map(input.repositories.map((r) => [r.gitlabProjectId, r])).values()];
      return sql.rows<ListingChange>(UPSERT, [
        input.integrationId,
        page.map(() => newId('repository')),
        page.map((r) => r.gitlabProjectId),
        page.map((r) => r.fullPath),
        page.map((r) => r.defaultBranch),
        page.map((r) => r.visibility),
        page.map((r) => r.lastActivityAt),
        page.map((r) => r.empty),
        page.map((r) => r.archived),
        page.map((r) => r.fork),
        page.map((r) => r.personal),
        page.map((r) => r.pendingDeletion),
        page.map((r) => r.repositoryDisabled),
        page.map((r) => r.state),
        page.map((r) => r.excludedBecause),
        input.now,
      ]);
    },
  };
}

/** Marks known repositories that the listing did not contain. */
function createMissedMarks(sql: Sql) {
  return {
    /**
     * Marks known rows that the walk passed without finding them: ids in `(after, upTo]` that the page does not
     * contain. `upTo` null = to the end.
     */
    async markMissed(input: {
      integrationId: string;
      syncId: string;
      after: number;
      upTo: number | null;
      listedIds: readonly number[];
      /** Ids in these ranges (without their ends) may be listed: what GitLab listed there is unknown. */
      gaps?: readonly { after: number; upTo: number | null }[];
    }): Promise<void> {
      const gaps = input.gaps ?? [];
      await sql.run(
        `update repository set missed_by_sync_id = $2 where id = any(array(
           select id from repository where integration_id = $1 and gitlab_project_id > $3 and gitlab_project_id <= $4
             and state <> 'removed' and gitlab_project_id <> all($5::bigint[])
             and not exists (select 1 from unnest($6::bigint[], $7::bigint[]) gap (low, high)
               where gitlab_project_id > low and gitlab_project_id < high)
           order by gitlab_project_id))`,
        // always an upper bound: without one each page would read the index to its end; for the order, see UPSERT
        [
          input.integrationId,
          input.syncId,
          input.after,
          input.upTo ?? MAX_ID,
          input.listedIds,
          gaps.map(({ after }) => after),
          gaps.map(({ upTo }) => upTo ?? MAX_ID),
        ],
      );
    },
  };
}

/** Compares a complete listing with the known repositories. */
function createVanishedReads(sql: Sql) {
  return {
    /** How many rows are known, and which of them this complete listing would remove. */
    async vanished(input: { integrationId: string; syncId: string }): Promise<{
      known: number;
      vanished: { id: string; gitlabProjectId: number; fullPath: string; state: RepositoryState }[];
      fingerprint: string | null;
    }> {
      const rows = await sql.rows<{
        id: string;
        gitlab_project_id: string;
        full_path: string;
        state: RepositoryState;
      }>(
        `select id, gitlab_project_id, full_path, state from repository
         where integration_id = $1 and missed_by_sync_id = $2 and state <> 'removed' order by id`,
        [input.integrationId, input.syncId],
      );
      const sums = await sql.first<{ known: number; fingerprint: string | null }>(
        `select count(*) filter (where state in ('active', 'empty', 'excluded'))::int as known,
           md5(string_agg(id, ',' order by id) filter (where missed_by_sync_id = $2 and state in ('active', 'empty', 'excluded'))) as fingerprint
         from repository where integration_id = $1 and state <> 'removed'`,
        [input.integrationId, input.syncId],
      );
      return {
        known: sums?.known ?? 0,
        fingerprint: sums?.fingerprint ?? null,
        vanished: rows.map((row) => ({
          id: row.id,
          gitlabProjectId: Number(row.gitlab_project_id),
          fullPath: row.full_path,
          state: row.state,
        })),
      };
    },
  };
}

/** GitLab's ids of known repositories. */
function createKnownProjectIds(sql: Sql) {
  return {
    /**
     * GitLab's id of every n-th known row, and of the last one, ascending: where a listing can be cut into equal
     * parts, and where new projects begin.
     */
    async everyNthProjectId(input: { integrationId: string; step: number }): Promise<number[]> {
      const rows = await sql.rows<{ id: string }>(
        `select id from (select gitlab_project_id as id, row_number() over (order by gitlab_project_id) as place,
             count(*) over () as known from repository where integration_id = $1 and state <> 'removed') placed
         where place % $2 = 0 or place = known order by id`,
        [input.integrationId, input.step],
      );
      return rows.map((row) => Number(row.id));
    },

    /** GitLab ids of all known repositories that are neither missing nor removed. */
    async knownProjectIds(integrationId: string): Promise<number[]> {
      const rows = await sql.rows<{ id: string }>(
        `select gitlab_project_id as id from repository where integration_id = $1 and state in ('active', 'empty', 'excluded')
           and excluded_because is distinct from 'access_too_low'`,
        [integrationId],
      );
      return rows.map((row) => Number(row.id));
    },
  };
}

/** State changes that follow from a complete listing. */
function createStateChanges(sql: Sql) {
  return {
    async markMissing({ ids, now }: { ids: readonly string[]; now: Date }): Promise<void> {
      await sql.run(
        `update repository set state = 'missing', excluded_because = null, missed_listings = missed_listings + 1, updated_at = $2
         where id = any($1::text[])`,
        [ids, now],
      );
    },

    /** Marks repositories as removed: their open findings become `removed`, their queued scans are canceled. */
    async markRemoved({ ids, now }: { ids: readonly string[]; now: Date }): Promise<void> {
      await sql.run(
        `update repository set state = 'removed', excluded_because = null, open_critical = 0, open_high = 0, open_medium = 0,
           open_low = 0, updated_at = $2 where id = any($1::text[])`,
        [ids, now],
      );
      await sql.run(
        `update finding set status = 'removed' where repository_id = any($1::text[]) and status = 'open'`,
        [ids],
      );
      await sql.run(
        `update scan set status = 'canceled', cause = 'repository_gone', finished_at = $2
         where repository_id = any($1::text[]) and status = 'queued'`,
        [ids, now],
      );
    },

    async markAccessTooLow({ ids, now }: { ids: readonly string[]; now: Date }): Promise<void> {
      await sql.run(
        `update repository set state = 'excluded', excluded_because = 'access_too_low', missed_by_sync_id = null, updated_at = $2
         where id = any($1::text[])`,
        [ids, now],
      );
    },
  };
}
