import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import { SecuError } from '../domain/errors.ts';
import { isDatabaseAway } from './postgres-driver.ts';

/** Plain SQL with bound parameters (`$1`), inside the entity manager's transaction if there is one. */
export interface Sql {
  /** All rows, with the column names of the statement. The type is not checked. */
  rows<Row>(text: string, params?: readonly unknown[]): Promise<Row[]>;
  /** The first row or `null`. */
  first<Row>(text: string, params?: readonly unknown[]): Promise<Row | null>;
  /** @returns the number of changed rows */
  run(text: string, params?: readonly unknown[]): Promise<number>;
}

/**
 * SQL over the entity manager of `em()`: a fork, or the one of a transaction.
 * @throws SecuError `database_unavailable`; other PostgreSQL errors unchanged
 */
export function createSql(em: () => SqlEntityManager): Sql {
  const execute = async (text: string, params: readonly unknown[]) => {
    try {
      return await em()
        .getKysely<Record<string, never>>()
        .executeQuery(CompiledQuery.raw(text, params.map(storable)));
    } catch (err) {
      if (!isDatabaseAway(err)) throw err;
      throw new SecuError('database_unavailable', 'the database does not answer', { cause: err });
    }
  };
  return {
    async rows<Row>(text: string, params: readonly unknown[] = []): Promise<Row[]> {
      const result = await execute(text, params);
      return result.rows as Row[];
    },
    async first<Row>(text: string, params: readonly unknown[] = []): Promise<Row | null> {
      const result = await execute(text, params);
      return (result.rows[0] as Row | undefined) ?? null;
    },
    async run(text, params = []) {
      const result = await execute(text, params);
      return Number(result.numAffectedRows ?? 0n);
    },
  };
}

/**
 * A parameter that PostgreSQL can store: without NUL and lone surrogates, which names and lines of foreign
 * repositories may contain.
 */
function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  return Array.isArray(value) ? value.map(storable) : value;
}

function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\ufffd');
}

/** JSON for a `jsonb` column, where those characters appear as escapes. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' ? storableText(part) : part,
  );
}
