import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { isDatabaseAway, openDatabase } from '../../src/db/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import { seedIntegration } from './seed.ts';

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(async () => {
  await db.drop();
});

test('a server that refuses connections counts as unavailable', async () => {
  const unavailable = await openDatabase({ url: 'postgresql://secu:x@127.0.0.1:1/secu', poolMax: 1 });
  const err = await unavailable.stores.integrations.find('int_x').catch((reason: unknown) => reason);
  expect(isDatabaseAway(err)).toBe(true);
  await expect(unavailable.ping()).rejects.toMatchObject({ code: 'database_unavailable' });
  await unavailable.close();
});

test('a connection that the server closes counts as unavailable, and the next query succeeds', async () => {
  const own = await openDatabase({ url: db.url, poolMax: 1 });
  const failure = own
    .transaction(async (tx) => {
      await tx.integrations.find('int_x');
      await db.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and state = 'idle in transaction'`,
      );
      await tx.integrations.find('int_x');
    })
    .catch((reason: unknown) => reason);
  expect(isDatabaseAway(await failure)).toBe(true);
  expect(await own.stores.integrations.find('int_x')).toBeNull();
  await own.close();
});

test('a programming error does not count as unavailable', async () => {
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  const err = await client.query('select nothing from nowhere').catch((reason: unknown) => reason);
  await client.end();
  expect(isDatabaseAway(err)).toBe(false);
  expect(isDatabaseAway(new TypeError('undefined is not a function'))).toBe(false);
  expect(isDatabaseAway('ECONNREFUSED')).toBe(false);
  expect(isDatabaseAway(null)).toBe(false);
});

test('a transaction writes all of its changes or none', async () => {
  const before = await db.query('select id from integration');
  await expect(
    db.database.transaction(async (tx) => {
      await seedIntegration({ ...db.database, stores: tx });
      throw new Error('half way');
    }),
  ).rejects.toThrow('half way');
  expect(await db.query('select id from integration')).toEqual(before);
});

test('before the commit, only the stores of a transaction read what it wrote', async () => {
  await db.database.transaction(async (tx) => {
    const id = await seedIntegration({ ...db.database, stores: tx });
    expect(await tx.integrations.find(id)).toMatchObject({ id });
    expect(await db.database.stores.integrations.find(id)).toBeNull();
  });
});

test('the database reports its version in the usual format', async () => {
  expect(await db.database.serverVersion()).toMatch(/^\d+\.\d+/);
});
