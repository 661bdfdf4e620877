import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import { SecuError } from '../domain/errors.ts';
import { ENTITIES } from './entities/index.ts';
import { adoptEventCluster } from './event-cluster.ts';
import { MIGRATIONS } from './migrations/index.ts';

/** Advisory lock: only one process migrates at a time. */
const MIGRATION_LOCK = 7_361_994;

/**
 * Brings the schema up to date. One process at a time; a schema that this program does not know is refused.
 * @returns the names of the migrations that ran
 * @throws SecuError `schema_mismatch` | `database_unavailable`
 */
export async function migrate({ url }: { url: string }): Promise<string[]> {
  const lock = new pg.Client({ connectionString: url });
  try {
    await lock.connect();
  } catch (err) {
    throw new SecuError('database_unavailable', 'the database does not answer', { cause: err });
  }
  try {
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const ran = await runPending(url);
    await adoptEventCluster(lock);
    return ran;
  } finally {
    await lock.end();
  }
}

async function runPending(url: string): Promise<string[]> {
  const orm = await MikroORM.init({
    entities: ENTITIES,
    clientUrl: url,
    pool: { min: 0, max: 2 },
    extensions: [Migrator],
    migrations: {
      migrationsList: MIGRATIONS,
      snapshot: false,
      silent: true,
      tableName: 'secu_migration',
      transactional: true,
    },
  });
  try {
    const state = await schemaStateOf((text) => orm.em.fork().execute(text));
    if (state.unknown.length > 0) {
      throw new SecuError(
        'schema_mismatch',
        `the schema of this database is of another version of Secu (${state.unknown.join(', ')}); start that version, restore a backup, or begin with a new database (a new SECU_HOME). Schemas from before the first release are not carried over`,
      );
    }
    const ran = await orm.migrator.up();
    return ran.map((migration) => migration.name);
  } finally {
    await orm.close(true);
  }
}

export interface SchemaState {
  pending: string[];
  /** Migrations in the database that this program does not know: from a newer version. */
  unknown: string[];
}

/** Compares the migrations in the database with those of this program. */
export async function schemaStateOf(query: (text: string) => Promise<unknown>): Promise<SchemaState> {
  const known = MIGRATIONS.map((migration) => migration.name);
  const ran = await ranMigrations(query);
  return {
    pending: known.filter((name) => !ran.includes(name)),
    unknown: ran.filter((name) => !known.includes(name)),
  };
}

async function ranMigrations(query: (text: string) => Promise<unknown>): Promise<string[]> {
  const table = await query(`select to_regclass('secu_migration') is not null as there`);
  if (!isRows(table) || table[0]?.['there'] !== true) return [];
  const rows = await query('select name from secu_migration order by name');
  return isRows(rows) ? rows.map((row) => String(row['name'])) : [];
}

function isRows(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value);
}
