import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, escapeLiteral } from 'pg';
import { hasCode } from '../../tools/lock.js';
import { SecuError } from '../domain/errors.ts';
import type { HomeLayout } from './home.ts';
import { acquireHome, persistentPort } from './home.ts';
import { initialiseCluster } from './postgres-init.ts';
import { dataArgument, postgresPrograms, postgresUser } from './postgres-user.ts';
import type { PrintLine } from './print-line.ts';
import type { SystemUser } from './processes.ts';
import { endLeftovers } from './processes.ts';
import type { ChildSpec, Supervisor } from './supervisor.ts';
import { createSupervisor } from './supervisor.ts';

const MAJOR = '18';
const READY_TIMEOUT_MS = 60_000; // recovery after a power failure can take long
const STOP_GRACE_MS = 20_000;
const ADMIN = 'postgres';
const APPLICATION = 'secu';

/** Fast but not durable: for tests only. */
const THROWAWAY_OPTIONS = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'max_connections=200',
];

export interface RunningPostgres {
  /** For the application: role `secu`, owner of database `secu`, not a superuser. Contains the password. */
  readonly url: string;
  /** For backups and tests: the superuser. Contains the password. */
  readonly adminUrl: string;
  readonly port: number;
}

/**
 * Starts the embedded PostgreSQL of a locked home under the supervisor and resolves when database `secu` exists.
 * Loopback only, scram, no Unix socket, a stable port; fsync stays on.
 * @throws SecuError `embedded_failed`
 */
export async function startPostgres({
  layout,
  supervisor,
  printLine,
}: {
  layout: HomeLayout;
  supervisor: Supervisor;
  printLine: PrintLine;
}): Promise<RunningPostgres> {
  return start({ layout, supervisor, printLine, options: [] });
}

/**
 * The addresses of the embedded PostgreSQL of a running home, or null if it was never started. For commands that
 * run beside `up`; the URLs contain passwords.
 */
export function findPostgres(layout: HomeLayout): RunningPostgres | null {
  const files = [
    join(layout.keys, 'postgres.password'),
    join(layout.keys, 'postgres-admin.password'),
  ] as const;
  const portFile = join(layout.run, 'postgres.port');
  if (![...files, portFile].every((file) => existsSync(file))) return null;
  const [password, adminPassword] = files.map((file) => readFileSync(file, 'utf8').trim());
  return urls({
    port: Number(readFileSync(portFile, 'utf8')),
    password: `${password}`,
    adminPassword: `${adminPassword}`,
  });
}

/**
 * Starts a PostgreSQL for tests in its own folder, which `stop` removes. Its data does not survive a crash. It is
 * killed with its parent if `setpriv` is installed; otherwise the next start in the same folder kills it.
 * @returns `url` is the superuser's, so that suites can create databases
 */
export async function startThrowawayPostgres({
  folder,
  printLine = () => {},
  options = THROWAWAY_OPTIONS,
}: {
  folder: string;
  printLine?: PrintLine;
  /** Server settings, `name=value`. Default: fast but not durable. */
  options?: readonly string[];
}): Promise<{ url: string; port: number; stop: () => Promise<void> }> {
  const layout = acquireHome(folder);
  await endLeftovers(layout, printLine);
  const supervisor = createSupervisor({ layout, printLine });
  const stop = async () => {
    await supervisor.stop();
    layout.release();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const { adminUrl, port } = await start({
      layout,
      supervisor,
      printLine,
      options,
    });
    return { url: adminUrl, port, stop };
  } catch (err) {
    await stop();
    throw err;
  }
}

async function start({
  layout,
  supervisor,
  printLine,
  options,
}: {
  layout: HomeLayout;
  supervisor: Supervisor;
  printLine: PrintLine;
  options: readonly string[];
}): Promise<RunningPostgres> {
  const user = postgresUser();
  if (user !== undefined) chownSync(layout.postgres, user.uid, user.gid);
  const programs = postgresPrograms(user);
  const data = join(layout.postgres, 'data');
  const adminPassword = keptPassword(join(layout.keys, 'postgres-admin.password'), {
    mayMake: !existsSync(data),
  });
  if (existsSync(data)) {
    requireMajor(data);
  } else {
    printLine('making the database');
    await initialiseCluster({
      layout,
      programs: programs.folder,
      user,
      admin: ADMIN,
      password: adminPassword,
      durable: options.length === 0,
    });
  }
  const password = keptPassword(join(layout.keys, 'postgres.password'), { mayMake: true });
  const port = await persistentPort(join(layout.run, 'postgres.port'));
  const reached = urls({ port, password, adminPassword });
  const { adminUrl } = reached;
  await supervisor.start(postgresSpec({ data, programs: programs.folder, user, port, adminUrl, options }));
  await ensureDatabase({ adminUrl, password });
  return reached;
}

function urls({ port, password, adminPassword }: { port: number; password: string; adminPassword: string }) {
  const at = (user: string, secret: string, database: string) =>
    `postgresql://${user}:${secret}@127.0.0.1:${port}/${database}`;
  return {
    url: at(APPLICATION, password, APPLICATION),
    adminUrl: at(ADMIN, adminPassword, 'postgres'),
    port,
  };
}

function postgresSpec({
  data,
  programs,
  user,
  port,
  adminUrl,
  options,
}: {
  data: string;
  programs: string;
  user: SystemUser | undefined;
  port: number;
  adminUrl: string;
  options: readonly string[];
}): ChildSpec {
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `port=${port}`,
    'timezone=UTC',
    'log_timezone=UTC',
    ...options,
  ];
  return {
    name: 'postgres',
    command: join(programs, 'postgres'),
    args: ['-D', dataArgument(data, user), ...settings.flatMap((setting) => ['-c', setting])],
    env: { LC_ALL: 'C', TZ: 'UTC' },
    cwd: data,
    ...(user === undefined ? {} : { user }),
    stopSignal: 'SIGINT', // fast shutdown: disconnects clients, loses no data
    stopGraceMs: STOP_GRACE_MS,
    beforeStart: () => removeStalePidFile(data),
    ready: (signal) => untilAnswering(adminUrl, signal),
    readyTimeoutMs: READY_TIMEOUT_MS,
  };
}

/**
 * PostgreSQL refuses to start if the pid in a stale `postmaster.pid` belongs to any running process of its user.
 * After a reboot that may be another program. A real postmaster has its data folder as its current folder.
 */
function removeStalePidFile(data: string): void {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (currentFolderOf(pid) !== realpathSync(data)) rmSync(file, { force: true });
}

function currentFolderOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch (err) {
    // Processes of other users cannot run in our folder, which has mode 0700.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].some((code) => hasCode(err, code))) return null;
    throw err;
  }
}

async function untilAnswering(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => {}); // connect() and query() report the errors that matter
    try {
      await client.connect();
      await client.query('SELECT 1');
      return;
    } catch (err) {
      // 28P01 and 28000: another server, or a lost password; waiting does not help.
      if (hasCode(err, '28P01') || hasCode(err, '28000')) throw err;
    } finally {
      await client.end();
    }
    await delay(30, undefined, { signal });
  }
}

/** Creates the application's role and database, and sets the stored password. */
async function ensureDatabase({ adminUrl, password }: { adminUrl: string; password: string }): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query('SET log_min_error_statement = panic'); // the statements contain the password
    const role = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [APPLICATION]);
    const verb = role.rowCount === 0 ? 'CREATE' : 'ALTER';
    await client.query(`${verb} ROLE ${APPLICATION} LOGIN PASSWORD ${escapeLiteral(password)}`);
    const database = await client.query('SELECT FROM pg_database WHERE datname = $1', [APPLICATION]);
    if (database.rowCount === 0) await client.query(`CREATE DATABASE ${APPLICATION} OWNER ${APPLICATION}`);
  } finally {
    await client.end();
  }
}

function keptPassword(file: string, { mayMake }: { mayMake: boolean }): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  if (!mayMake)
    throw new SecuError(
      'embedded_failed',
      `${file} is missing, but there is a database: restore it from a backup`,
    );
  const password = randomBytes(24).toString('base64url');
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${password}\n`, { mode: 0o600, flush: true });
  chmodSync(file, 0o600);
  return password;
}

function requireMajor(data: string): void {
  const file = join(data, 'PG_VERSION');
  const major = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'unknown';
  if (major === MAJOR) return;
  throw new SecuError(
    'embedded_failed',
    `${data} holds a database of PostgreSQL ${major}, this Secu runs ${MAJOR}. Restore a backup into a new SECU_HOME.`,
  );
}
