import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { UnreadableProject } from '../../domain/unreadable.ts';
import type { SyncTrigger } from '../entities/repository.ts';
import { SyncRun } from '../entities/repository.ts';
import type { ListInput } from '../list-query.ts';
import { listPage } from '../list-query.ts';
import { newId } from '../new-id.ts';
import type { Page } from '../rows.ts';
import { dateOf, dateOrNull } from '../rows.ts';
import type { Sql } from '../sql.ts';

export interface SyncView {
  id: string;
  trigger: SyncTrigger;
  state: string;
  cause: string | null;
  listed: number;
  complete: boolean;
  added: number;
  renamed: number;
  excluded: number;
  missing: number;
  returned: number;
  removed: number;
  queuedScans: number;
  unreadable: UnreadableProject[];
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

export type SyncCounts = Pick<
  SyncView,
  'listed' | 'added' | 'renamed' | 'excluded' | 'missing' | 'returned' | 'removed' | 'queuedScans'
>;

export function createSyncStore({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    ...createSyncRequests(sql),
    ...createSyncStarts(sql),
    ...createSyncProgress({ em, sql }),
    ...createSyncReads({ em, sql }),
    async removeOlderThan(before: Date): Promise<number> {
      return sql.run(
        `delete from sync_run s where s.finished_at < $1
           and exists (select 1 from sync_run later where later.integration_id = s.integration_id and later.id > s.id)`,
        [before],
      );
    },
  };
}

/** Opens syncs; at most one per integration is queued or running. */
function createSyncRequests(sql: Sql) {
  return {
    /**
     * The open sync of this integration, or a new one: at most one is queued or running. A person's request makes it list
     * everything; a sync that is under way and does not is followed by one that does.
     */
    async open(input: {
      integrationId: string;
      trigger: SyncTrigger;
      acceptRemovals?: boolean;
      /** Id of the request that caused it; a joined sync keeps the first. */
      requestId?: string | null;
      now: Date;
    }): Promise<{ id: string; isNew: boolean; requestId: string | null }> {
      const id = newId('sync');
      const row = await sql.first<{ id: string; is_new: boolean; request_id: string | null }>(
        `insert into sync_run as s (id, integration_id, trigger, state, accept_removals, again, listed, complete, added, renamed, excluded,
           missing, returned, removed, queued_scans, created_at, request_id)
         values ($1, $2, $3, 'queued', $4, false, 0, false, 0, 0, 0, 0, 0, 0, 0, $5, $6)
         on conflict (integration_id) where state in ('queued', 'running')
         do update set accept_removals = s.accept_removals or excluded.accept_removals,
           trigger = case when s.state = 'queued' and excluded.trigger <> 'schedule' then excluded.trigger else s.trigger end,
           again = s.again or (s.state = 'running' and s.active_since is not null and excluded.trigger <> 'schedule'),
           request_id = coalesce(s.request_id, excluded.request_id)
         returning id, id = $1 as is_new, request_id`,
        [
          id,
          input.integrationId,
          input.trigger,
          input.acceptRemovals ?? false,
          input.now,
          input.requestId ?? null,
        ],
      );
      if (row === null) throw new Error('insert returned nothing');
      return { id: row.id, isNew: row.is_new, requestId: row.request_id };
    },

    /** Makes another sync follow the running one, whose settings have changed. */
    async runAgain(integrationId: string): Promise<void> {
      await sql.run(`update sync_run set again = true where integration_id = $1 and state = 'running'`, [
        integrationId,
      ]);
    },

    /** Queues a sync again whose workflow is gone. */
    async requeue(id: string): Promise<void> {
      await sql.run(`update sync_run set state = 'queued' where id = $1 and state = 'running'`, [id]);
    },
  };
}

/** Which projects a sync lists. */
function createSyncStarts(sql: Sql) {
  return {
    /** @returns false when it had already ended */
    async start(input: {
      id: string;
      /** Only projects with activity since then; `null` = a complete listing. */
      activeSince: Date | null;
      now: Date;
    }): Promise<boolean> {
      const changed = await sql.run(
        `update sync_run set state = 'running', started_at = coalesce(started_at, $2), cause = null,
           active_since = case when state = 'queued' then $3 else active_since end
         where id = $1 and state in ('queued', 'running')`,
        [input.id, input.now, input.activeSince],
      );
      return changed === 1;
    },

    /** Makes a running sync list everything. */
    async listEverything(id: string): Promise<void> {
      await sql.run(`update sync_run set active_since = null where id = $1 and state = 'running'`, [id]);
    },
  };
}

/** The course of one sync: progress and end. */
function createSyncProgress({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    async recordProgress(input: { id: string; cause: string | null; listed: number }): Promise<void> {
      await sql.run(`update sync_run set cause = $2, listed = $3 where id = $1 and state = 'running'`, [
        input.id,
        input.cause,
        input.listed,
      ]);
    },

    async recordVanished(input: { id: string; missing: number; removed: number }): Promise<void> {
      await sql.run(`update sync_run set missing = $2, removed = $3 where id = $1`, [
        input.id,
        input.missing,
        input.removed,
      ]);
    },

    /** @returns false when it had already ended */
    async end(input: {
      id: string;
      state: 'done' | 'failed' | 'waiting';
      cause: string | null;
      complete: boolean;
      counts: SyncCounts;
      unreadable: UnreadableProject[];
      now: Date;
    }): Promise<boolean> {
      const changed = await em().nativeUpdate(
        SyncRun,
        { id: input.id, state: { $in: ['queued', 'running'] } },
        {
          state: input.state,
          cause: input.cause,
          complete: input.complete,
          finishedAt: input.now,
          unreadable: input.unreadable,
          ...input.counts,
        },
      );
      return changed === 1;
    },
  };
}

/** Reads syncs. */
function createSyncReads({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    async find(id: string): Promise<SyncRun | null> {
      return em().findOne(SyncRun, { id });
    },

    /** When the last sync began that read all that it asked for; `null` = none did. */
    async lastCompleteStart(integrationId: string): Promise<Date | null> {
      const row = await sql.first<{ at: string | null }>(
        `select started_at as at from sync_run where integration_id = $1 and complete order by id desc limit 1`,
        [integrationId],
      );
      return dateOrNull(row?.at ?? null);
    },

    /** The queued or running sync. */
    async findOpen(
      integrationId: string,
    ): Promise<{ id: string; state: string; trigger: SyncTrigger } | null> {
      return sql.first(
        `select id, state, trigger from sync_run where integration_id = $1 and state in ('queued', 'running')`,
        [integrationId],
      );
    },

    /** Id of the request that caused this sync; `null` for background syncs. */
    async requestIdOf(id: string): Promise<string | null> {
      const row = await sql.first<{ request_id: string | null }>(
        'select request_id from sync_run where id = $1',
        [id],
      );
      return row?.request_id ?? null;
    },

    /** Items that the last complete listing could not read. */
    async lastUnreadable(integrationId: string): Promise<UnreadableProject[]> {
      const row = await sql.first<{ unreadable: UnreadableProject[] }>(
        `select unreadable from sync_run where integration_id = $1 and state in ('done', 'waiting')
           and active_since is null order by id desc limit 1`,
        [integrationId],
      );
      return row?.unreadable ?? [];
    },

    async list(integrationId: string, list: ListInput): Promise<Page<SyncView>> {
      return listPage<SyncRunRow, SyncView>({
        sql,
        select: 'select s.* /*sort*/ from sync_run s',
        conditions: [{ text: 's.integration_id = ?', params: [integrationId] }],
        columns: { createdAt: { expression: 's.id', cast: 'text' } },
        defaultSort: '-createdAt',
        idColumn: 's.id',
        list,
        item: viewOf,
      });
    },
  };
}

interface SyncRunRow {
  id: string;
  sort_value: string;
  trigger: SyncTrigger;
  state: string;
  cause: string | null;
  listed: number;
  complete: boolean;
  added: number;
  renamed: number;
  excluded: number;
  missing: number;
  returned: number;
  removed: number;
  queued_scans: number;
  unreadable: UnreadableProject[];
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

function viewOf(row: SyncRunRow): SyncView {
  return {
    id: row.id,
    trigger: row.trigger,
    state: row.state,
    cause: row.cause,
    listed: row.listed,
    complete: row.complete,
    added: row.added,
    renamed: row.renamed,
    excluded: row.excluded,
    missing: row.missing,
    returned: row.returned,
    removed: row.removed,
    queuedScans: row.queued_scans,
    unreadable: row.unreadable,
    createdAt: dateOf(row.created_at),
    startedAt: dateOrNull(row.started_at),
    finishedAt: dateOrNull(row.finished_at),
  };
}
