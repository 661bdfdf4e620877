import { afterEach, expect, test } from '@jest/globals';
import { MikroORM } from '@mikro-orm/postgresql';
import { ENTITIES } from '../../src/db/entities/index.ts';
import { migrate } from '../../src/db/migrate.ts';
import { MIGRATIONS } from '../../src/db/migrations/index.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { seedIntegration } from './seed.ts';

const open: TestDatabase[] = [];

afterEach(async () => {
  for (const db of open.splice(0)) await db.drop();
});

async function database(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const db = await createTestDatabase(options);
  open.push(db);
  return db;
}

const names = MIGRATIONS.map(({ name }) => name);

test('an empty database gets every migration once', async () => {
  const db = await database({ empty: true });
  expect(await db.database.schemaState()).toEqual({ pending: names, unknown: [] });
  expect(await migrate({ url: db.url })).toEqual(names);
  expect(await migrate({ url: db.url })).toEqual([]);
  expect(await db.database.schemaState()).toEqual({ pending: [], unknown: [] });
});

test('the first migration keeps the name that existing databases have recorded', () => {
  expect(names[0]).toBe('migration-0001-ground-d8d2140b');
});

test('a database of the first schema is upgraded with its rows', async () => {
  const db = await database({ empty: true });
  await migrate({ url: db.url });
  const integrationId = await seedIntegration(db.database);
  for (const statement of [
    `alter table scan drop column requeues, drop column next_try_at, drop column refs, drop column incomplete_because`,
    `alter table integration drop column prompted_checks, drop column prompted_since`,
    `alter table sync_run drop column unreadable`,
    `alter table delivery drop column events`,
    `drop table event_cluster`,
    `drop table scanned_ref`,
    `drop table hook_receiver`,
    `drop table hinted_project`,
    `drop index scan_polled_index`,
    `alter table scan drop column again`,
    `drop index repository_checked_index`,
    `alter table sync_run drop column active_since`,
    `alter table integration drop column last_full_sync_at, drop column sync_pace_ms`,
    `alter table integration drop column history, drop column branches`,
    `alter table repository drop column history_rules, drop column history_cause, drop column history_read_at`,
    `alter table finding drop column introduced_commit, drop column introduced_author, drop column introduced_at, drop column head_changed_at`,
    `delete from secu_migration where name not like 'migration-0001%'`,
  ])
    await db.query(statement);
  expect(await migrate({ url: db.url })).toEqual(names.slice(1));
  expect((await db.database.stores.integrations.find(integrationId))?.id).toBe(integrationId);
  expect(await db.database.schemaState()).toEqual({ pending: [], unknown: [] });
});

test('of two concurrent migrations the second waits', async () => {
  const db = await database({ empty: true });
  const ran = await Promise.all([migrate({ url: db.url }), migrate({ url: db.url })]);
  expect(ran.flat()).toEqual(names);
});

test('the schema of a newer Secu is refused by name and left unchanged', async () => {
  const db = await database();
  await db.query(
    `insert into secu_migration (name, executed_at) values ('Migration9999FromTheFuture', now())`,
  );
  await expect(migrate({ url: db.url })).rejects.toMatchObject({
    code: 'schema_mismatch',
    message: expect.stringContaining('Migration9999FromTheFuture'),
  });
  expect(await db.database.schemaState()).toEqual({ pending: [], unknown: ['Migration9999FromTheFuture'] });
});

test('a database from an earlier form of a migration is refused with a clear error', async () => {
  const db = await database();
  await db.query(
    `update secu_migration set name = 'migration-0001-ground' where name like 'migration-0001%'`,
  );
  await expect(migrate({ url: db.url })).rejects.toMatchObject({
    code: 'schema_mismatch',
    message: expect.stringContaining('another version of Secu (migration-0001-ground)'),
  });
});

test('an unavailable database server has a clear error', async () => {
  await expect(migrate({ url: 'postgresql://secu:x@127.0.0.1:1/secu' })).rejects.toMatchObject({
    code: 'database_unavailable',
  });
});

test('the schema has exactly the columns of the entities, with their types and nullability', async () => {
  const db = await database();
  const orm = await MikroORM.init({ entities: ENTITIES, clientUrl: db.url });
  const declared = [...orm.getMetadata().getAll().values()]
    .flatMap((meta) =>
      meta.props.flatMap((prop) =>
        prop.fieldNames.map((column, index) => ({
          column: `${meta.tableName}.${column}`,
          type: typeOf(prop.columnTypes[index] ?? ''),
          nullable: prop.nullable === true,
        })),
      ),
    )
    .sort((a, b) => a.column.localeCompare(b.column));
  await orm.close(true);

  const actual = await db.query<{ column: string; type: string; nullable: boolean }>(
    `select table_name || '.' || column_name as column, udt_name as type, is_nullable = 'YES' as nullable
     from information_schema.columns where table_schema = 'public' and table_name <> 'secu_migration'`,
  );
  expect(actual.sort((a, b) => a.column.localeCompare(b.column))).toEqual(declared);
});

/** Translates a column type of MikroORM to its name in PostgreSQL. */
function typeOf(columnType: string): string {
  const known: Record<string, string> = { int: 'int4', bigint: 'int8', boolean: 'bool', bigserial: 'int8' };
  const bare = columnType.replace(/\(.*\)/, '');
  return known[bare] ?? bare;
}

test('every foreign key has an index that starts with it', async () => {
  const db = await database();
  const bare = await db.query(
    `select conrelid::regclass::text as "table", a.attname as "column"
     from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
     where c.contype = 'f' and not exists (
       select 1 from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1] and i.indpred is null)`,
  );
  expect(bare).toEqual([]);
});
