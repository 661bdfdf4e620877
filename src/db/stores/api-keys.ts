import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { ApiKeyRole } from '../../domain/user.ts';
import type { ApiKeySource } from '../entities/system.ts';
import { ApiKey } from '../entities/system.ts';
import type { ListInput } from '../list-query.ts';
import { listPage } from '../list-query.ts';
import { newId } from '../new-id.ts';
import type { Page } from '../rows.ts';
import { dateOf, dateOrNull } from '../rows.ts';
import type { Sql } from '../sql.ts';

export interface ApiKeyView {
  id: string;
  name: string;
  role: ApiKeyRole;
  lastFour: string;
  source: ApiKeySource;
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
}

interface ApiKeyRow {
  id: string;
  name: string;
  role: ApiKeyRole;
  last_four: string;
  source: ApiKeySource;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  sort_value: string;
}

export function createApiKeyStore({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    ...createApiKeyReads(sql),
    ...createApiKeyChanges({ em, sql }),
  };
}

/** Finds and lists keys that are not removed. */
function createApiKeyReads(sql: Sql) {
  return {
    /** The valid key with this hash; updates its last use at most once a minute. */
    async findByHash({ hash, now }: { hash: string; now: Date }): Promise<ApiKeyView | null> {
      const row = await sql.first<ApiKeyRow>(
        `select *, '' as sort_value from api_key where hash = $1 and removed_at is null and (expires_at is null or expires_at > $2)`,
        [hash, now],
      );
      if (row === null) return null;
      const usedAt = dateOrNull(row.last_used_at);
      if (usedAt === null || now.getTime() - usedAt.getTime() > 60_000) {
        await sql.run(`update api_key set last_used_at = $2 where id = $1`, [row.id, now]);
      }
      return viewOf(row);
    },

    async find(id: string): Promise<ApiKeyView | null> {
      const row = await sql.first<ApiKeyRow>(
        `select *, '' as sort_value from api_key where id = $1 and removed_at is null`,
        [id],
      );
      return row === null ? null : viewOf(row);
    },

    async list(list: ListInput): Promise<Page<ApiKeyView>> {
      return listPage<ApiKeyRow, ApiKeyView>({
        sql,
        select: 'select k.* /*sort*/ from api_key k',
        conditions: [{ text: 'k.removed_at is null', params: [] }],
        columns: { createdAt: { expression: 'k.id', cast: 'text' } },
        defaultSort: 'createdAt',
        idColumn: 'k.id',
        list,
        item: viewOf,
      });
    },
  };
}

/** Adds, replaces and removes keys. */
function createApiKeyChanges({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    async add(input: {
      name: string;
      role: ApiKeyRole;
      hash: string;
      lastFour: string;
      source: ApiKeySource;
      expiresAt: Date | null;
      now: Date;
    }): Promise<string> {
      const { now, ...columns } = input;
      const id = newId('apiKey');
      await em().insert(ApiKey, { id, ...columns, createdAt: now, lastUsedAt: null, removedAt: null });
      return id;
    },

    async remove({ id, now }: { id: string; now: Date }): Promise<boolean> {
      const changed = await sql.run(
        `update api_key set removed_at = $2 where id = $1 and removed_at is null`,
        [id, now],
      );
      return changed === 1;
    },

    /** Replaces the managed key of this source, or removes it. Keys of other sources stay. */
    async replaceManaged(input: {
      source: 'environment' | 'cli';
      name: string;
      key: { hash: string; lastFour: string } | null;
      now: Date;
    }): Promise<void> {
      await sql.run(
        `update api_key set removed_at = $3 where source = $1 and removed_at is null and hash <> coalesce($2, '')`,
        [input.source, input.key?.hash ?? null, input.now],
      );
      if (input.key === null) return;
      await sql.run(
        `insert into api_key (id, name, role, hash, last_four, source, created_at)
         values ($1, $2, 'admin', $3, $4, $5, $6) on conflict (hash) do update set removed_at = null`,
        [newId('apiKey'), input.name, input.key.hash, input.key.lastFour, input.source, input.now],
      );
    },
  };
}

function viewOf(row: ApiKeyRow): ApiKeyView {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    lastFour: row.last_four,
    source: row.source,
    createdAt: dateOf(row.created_at),
    expiresAt: dateOrNull(row.expires_at),
    lastUsedAt: dateOrNull(row.last_used_at),
  };
}
