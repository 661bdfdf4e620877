import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Database } from '../../src/db/database.ts';
import { openDatabase } from '../../src/db/database.ts';
import { TEMPLATE_DATABASE, testServerAddress } from './server-addresses.ts';

export interface TestDatabase {
  url: string;
  database: Database;
  /** For SQL of the test itself. */
  query<T extends pg.QueryResultRow = Record<string, unknown>>(
    text: string,
    values?: unknown[],
  ): Promise<T[]>;
  /** Closes all connections and drops the database. */
  drop(): Promise<void>;
}

/** Creates a database for this suite: migrated, or without tables if `empty`. */
export async function createTestDatabase(
  options: { empty?: boolean; poolMax?: number } = {},
): Promise<TestDatabase> {
  const { empty = false, poolMax = 10 } = options;
  const server = testServerAddress('postgresUrl');
  const name = `t_${randomBytes(8).toString('hex')}`;
  await onServer(server, `create database ${name} template ${empty ? 'template1' : TEMPLATE_DATABASE}`);
  const address = new URL(server);
  address.pathname = `/${name}`;
  const url = String(address);
  const database = await openDatabase({ url, poolMax });
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on('error', () => {}); // a test may end connections; the query then fails anyway
  return {
    url,
    database,
    async query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
      return (await pool.query<T>(text, values)).rows;
    },
    async drop() {
      await pool.end();
      await database.close();
      await onServer(server, `drop database if exists ${name} with (force)`);
    },
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
