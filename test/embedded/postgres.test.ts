import { spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { acquireHome } from '../../src/embedded/home.ts';
import { startPostgres, startThrowawayPostgres } from '../../src/embedded/postgres.ts';
import { endLeftovers } from '../../src/embedded/processes.ts';
import { createSupervisor } from '../../src/embedded/supervisor.ts';
import { isAlive, killHard, startProgram, until } from './support.ts';

const NOBODY = { uid: 65_534, gid: 65_534 };
const isRoot = process.getuid?.() === 0;
const program = fileURLToPath(new URL('postgres-program.ts', import.meta.url));
/** An ordinary user can run only programs in folders that everyone can read. */
const nobodyCanRun =
  isRoot && spawnSync(process.execPath, ['--check', program], { ...NOBODY, cwd: '/', env: {} }).status === 0;

let folder: string;
let home: string;
const running: (() => Promise<void>)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secu-postgres-'));
  home = join(folder, 'home');
});

afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
  rmSync(folder, { recursive: true, force: true });
});

const printLine = () => {};

async function startIn(home: string) {
  const layout = acquireHome(home);
  await endLeftovers(layout, printLine);
  const supervisor = createSupervisor({ layout, printLine });
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    await supervisor.stop();
    layout.release();
  };
  running.push(stop);
  const postgres = await startPostgres({ layout, supervisor, printLine });
  return { ...postgres, layout, supervisor, stop };
}

async function query<T>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 20_000 });
  client.on('error', () => {}); // the server is killed on purpose; query() reports it
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

const answers = (url: string) => () =>
  query(url, 'SELECT 1').then(
    () => true,
    () => false,
  );

test('keeps rows, address and password across a restart', async () => {
  const first = await startIn(home);
  await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS id');
  await first.stop();
  const second = await startIn(home);
  expect(second.url).toBe(first.url);
  expect(await query(second.url, 'SELECT id FROM kept')).toEqual([{ id: 1 }]);
});

test('restarts after kill -9 of the postmaster, with every committed row', async () => {
  const { url, supervisor } = await startIn(home);
  await query(url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS id');
  const pid = supervisor.status()[0]?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  await until('the postmaster ends', () => !isAlive(pid));
  await until('PostgreSQL answers again', answers(url));
  expect(await query(url, 'SELECT count(*)::int AS rows FROM kept')).toEqual([{ rows: 1000 }]);
  // the supervisor polls, so it may notice the end a moment after this test
  await until('the supervisor sees it run', () => supervisor.status()[0]?.state === 'running');
  expect(supervisor.status()[0]).toMatchObject({ state: 'running', restarts: 1, lastEnd: 'SIGKILL' });
});

test('the next start ends the leftovers of a killed start and has its rows', async () => {
  const { child, report } = await startProgram<{ url: string; pid: number }>('postgres-program.ts', [home]);
  await query(report.url, 'CREATE TABLE kept AS SELECT 7 AS id');
  await killHard(child);
  const { url } = await startIn(home);
  expect(isAlive(report.pid)).toBe(false);
  expect(await query(url, 'SELECT id FROM kept')).toEqual([{ id: 7 }]);
});

test('an incomplete data folder of a killed initdb is created again', async () => {
  const half = join(home, 'postgres', 'data.new');
  mkdirSync(half, { recursive: true });
  writeFileSync(join(half, 'PG_VERSION'), '18\n');
  const { url } = await startIn(home);
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(existsSync(half)).toBe(false);
});

test('a database of another version is not changed, and the error names it', async () => {
  const data = join(home, 'postgres', 'data');
  mkdirSync(data, { recursive: true });
  mkdirSync(join(home, 'keys'));
  writeFileSync(join(home, 'keys', 'postgres-admin.password'), 'x\n');
  writeFileSync(join(data, 'PG_VERSION'), '16\n');
  await expect(startIn(home)).rejects.toThrow(/holds a database of PostgreSQL 16/);
  expect(readFileSync(join(data, 'PG_VERSION'), 'utf8')).toBe('16\n');
});

test('a stale pid file with the pid of another running program does not prevent the start', async () => {
  const first = await startIn(home);
  await first.stop();
  const pidFile = join(home, 'postgres', 'data', 'postmaster.pid');
  writeFileSync(pidFile, `${process.pid}\n${join(home, 'postgres', 'data')}\n1\n1\n\n127.0.0.1\n`);
  const owner = statSync(join(home, 'postgres', 'data'));
  chownSync(pidFile, owner.uid, owner.gid);
  const second = await startIn(home);
  expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

describe('access control', () => {
  test('refuses a wrong password and has no Unix socket', async () => {
    const { url, adminUrl } = await startIn(home);
    await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toMatchObject({
      code: '28P01',
    });
    expect(
      await query(
        adminUrl,
        `SELECT name, setting FROM pg_settings
         WHERE name IN ('fsync', 'listen_addresses', 'unix_socket_directories') ORDER BY name`,
      ),
    ).toEqual([
      { name: 'fsync', setting: 'on' },
      { name: 'listen_addresses', setting: '127.0.0.1' },
      { name: 'unix_socket_directories', setting: '' },
    ]);
  });

  test('the application role is not a superuser, and only the owner can read the passwords', async () => {
    const { url, layout } = await startIn(home);
    expect(await query(url, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).toEqual([
      { rolsuper: false },
    ]);
    expect(statSync(join(layout.keys, 'postgres.password')).mode & 0o777).toBe(0o600);
    const [password = ''] = /(?<=secu:)[^@]+/.exec(url) ?? [];
    expect(readFileSync(join(layout.logs, 'postgres.log'), 'utf8')).not.toContain(password);
  });
});

describe('as root', () => {
  const asRoot = isRoot ? test : test.skip; // applies to root only

  asRoot('works in a home below a folder that is closed to everybody else', async () => {
    expect(statSync(folder).mode & 0o077).toBe(0);
    const { url } = await startIn(home);
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  const asNobody = nobodyCanRun ? test : test.skip; // needs root to change user, and a clone that others can read

  asNobody('an ordinary user can run it too', async () => {
    const open = mkdtempSync(join(tmpdir(), 'secu-nobody-'));
    chownSync(open, NOBODY.uid, NOBODY.gid);
    const { child, report } = await startProgram<{ url: string; pid: number }>(
      'postgres-program.ts',
      [open],
      NOBODY,
    );
    expect(await query(report.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(statSync(`/proc/${report.pid}`).uid).toBe(NOBODY.uid);
    child.kill('SIGTERM');
    await until('the program ends', () => child.exitCode !== null);
    expect(isAlive(report.pid)).toBe(false);
    rmSync(open, { recursive: true });
  });
});

test('the test server has a superuser, allows many connections, and leaves no files', async () => {
  const { url, stop } = await startThrowawayPostgres({ folder: home });
  expect(await query(url, 'SHOW max_connections')).toEqual([{ max_connections: '200' }]);
  await query(url, 'CREATE DATABASE suite');
  await stop();
  expect(existsSync(home)).toBe(false);
});
