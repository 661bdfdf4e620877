import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { SecuError } from '../../domain/errors.ts';
import type { Branches, Filters, HistoryMode } from '../../domain/integration.ts';
import { DEFAULT_BRANCHES } from '../../domain/integration.ts';
import { Integration } from '../entities/integration.ts';
import type { Row } from '../rows.ts';
import { rowOf } from '../rows.ts';
import type { Sql } from '../sql.ts';

const COLUMNS = [
  'id',
  'name',
  'baseUrl',
  'verdict',
  'cause',
  'paused',
  'removedAt',
  'reachability',
  'reachabilityCause',
  'reachabilitySince',
  'suspectedAt',
  'filters',
  'history',
  'branches',
  'autoRotateEnabled',
  'autoRotateDaysBefore',
  'warnings',
  'lastVerifiedAt',
  'nextVerifyAt',
  'verifyFailures',
  'promptedChecks',
  'promptedSince',
  'lastSyncAt',
  'nextSyncAt',
  'lastFullSyncAt',
  'syncPaceMs',
  'listed',
  'brakeHeld',
  'brakeListings',
] as const satisfies readonly (keyof Integration)[];

export type IntegrationRow = Row<Integration, (typeof COLUMNS)[number]>;

export type IntegrationChange = Partial<Omit<IntegrationRow, 'id'>>;

/** Advisory lock for choosing a name. */
const NAMES_LOCK = 7_361_995;

function integrationOf(entity: Integration | null): IntegrationRow | null {
  return entity === null ? null : rowOf(entity, COLUMNS);
}

export function createIntegrationStore({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    ...createIntegrationInserts(em),
    ...createIntegrationNames(sql),
    ...createIntegrationReads({ em, sql }),
    ...createIntegrationChanges({ em, sql }),
    ...createIntegrationRemovals(sql),
  };
}

/** Creates integrations. */
function createIntegrationInserts(em: () => SqlEntityManager) {
  return {
    async create(input: {
      id: string;
      name: string;
      baseUrl: string;
      filters: Filters;
      /** Default: as SECU_HISTORY says. */
      history?: HistoryMode | null | undefined;
      /** Default: the default branch only. */
      branches?: Branches | undefined;
      autoRotate: { enabled: boolean; daysBefore: number };
      now: Date;
    }): Promise<void> {
      await em().insert(Integration, {
        id: input.id,
        provider: 'gitlab',
        type: 'git',
        name: input.name,
        baseUrl: input.baseUrl,
        verdict: 'pending',
        cause: null,
        paused: false,
        removedAt: null,
        reachability: 'unknown',
        reachabilityCause: null,
        reachabilitySince: input.now,
        suspectedAt: null,
        filters: input.filters,
        history: input.history ?? null,
        branches: input.branches ?? DEFAULT_BRANCHES,
        autoRotateEnabled: input.autoRotate.enabled,
        autoRotateDaysBefore: input.autoRotate.daysBefore,
        warnings: [],
        lastVerifiedAt: null,
        nextVerifyAt: input.now,
        verifyFailures: 0,
        promptedChecks: 0,
        promptedSince: null,
        lastSyncAt: null,
        nextSyncAt: null,
        lastFullSyncAt: null,
        syncPaceMs: null,
        listed: 0,
        brakeHeld: null,
        brakeListings: 0,
        createdAt: input.now,
        updatedAt: input.now,
      });
    },
  };
}

function createIntegrationNames(sql: Sql) {
  return {
    /** Names in use, in lower case. Within a transaction no other one can take one until it ends. */
    async takenNames(): Promise<Set<string>> {
      await sql.run(`select pg_advisory_xact_lock($1)`, [NAMES_LOCK]);
      const rows = await sql.rows<{ name: string }>(
        `select lower(name) as name from integration where removed_at is null`,
      );
      return new Set(rows.map((row) => row.name));
    },
  };
}

/** Reads and locks rows. */
function createIntegrationReads({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    /** The row, removed or not; `null` when the id is unknown. */
    async findAny(id: string): Promise<IntegrationRow | null> {
      return integrationOf(await em().findOne(Integration, { id }));
    },

    /** The row of an integration that is not removed. */
    async find(id: string): Promise<IntegrationRow | null> {
      return integrationOf(await em().findOne(Integration, { id, removedAt: null }));
    },

    /** Locks the row for the rest of the transaction. */
    async lock(id: string): Promise<IntegrationRow | null> {
      const locked = await sql.first<{ id: string }>(
        `select id from integration where id = $1 and removed_at is null for update`,
        [id],
      );
      return locked === null ? null : this.find(id);
    },

    /** Ids for reconcile, removed ones included, in pages. */
    async pageOfIds(input: { after: string; limit: number }): Promise<{ id: string; removed: boolean }[]> {
      return sql.rows(
        `select id, removed_at is not null as removed from integration where id > $1 order by id limit $2`,
        [input.after, input.limit],
      );
    },
  };
}

/** Changes rows that are not removed. */
function createIntegrationChanges({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    /** Makes the next sync list everything. */
    async requireFullSync(id: string): Promise<void> {
      await sql.run(
        `update integration set last_full_sync_at = null where id = $1 and last_full_sync_at is not null`,
        [id],
      );
    },

    /** @returns false when the integration was removed meanwhile */
    async change(id: string, change: IntegrationChange, now: Date): Promise<boolean> {
      const changed = await em().nativeUpdate(
        Integration,
        { id, removedAt: null },
        { ...change, updatedAt: now },
      );
      return changed === 1;
    },

    /** For a row that this transaction locked before. @throws SecuError `internal` when it was not there */
    async changeLocked(id: string, change: IntegrationChange, now: Date): Promise<void> {
      if (!(await this.change(id, change, now)))
        throw new SecuError('internal', 'an integration was changed that is not locked, or removed');
    },
  };
}

/** Removes in two steps: marked at once, deleted once the workflows are gone. */
function createIntegrationRemovals(sql: Sql) {
  return {
    /** Marks it as removed and frees its name; its rows are deleted later. @returns false when it was removed before */
    async remove({ id, now }: { id: string; now: Date }): Promise<boolean> {
      const changed = await sql.run(
        `update integration set removed_at = $2, updated_at = $2, name = name || ' (removed ' || id || ')'
         where id = $1 and removed_at is null`,
        [id, now],
      );
      return changed === 1;
    },

    /** Deletes the row and, by its foreign keys, everything under it. Only for a removed one. */
    async deleteRemoved(id: string): Promise<void> {
      await sql.run(`delete from integration where id = $1 and removed_at is not null`, [id]);
    },
  };
}
