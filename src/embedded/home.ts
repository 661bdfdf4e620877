import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { hasCode, lockHolder, tryLock } from '../../tools/lock.js';
import { SecuError } from '../domain/errors.ts';

/** Absolute paths of the folders of the embedded default. */
export interface HomeLayout {
  readonly root: string;
  /** Key ring, database password and CLI key. Only the user that runs Secu can read it. */
  readonly keys: string;
  /**
   * The database. If Secu runs as root, user `postgres` owns it, because PostgreSQL refuses to run as root.
   */
  readonly postgres: string;
  readonly temporal: string;
  readonly logs: string;
  /** Clones during their scan. */
  readonly work: string;
  /** Records of running child processes, and the lock. */
  readonly run: string;
}

/** A home that this process has locked. */
export interface HeldHome extends HomeLayout {
  readonly release: () => void;
}

/** Returns the layout of a home without disk access. */
export function homeLayout(home: string): HomeLayout {
  return {
    root: home,
    keys: join(home, 'keys'),
    postgres: join(home, 'postgres'),
    temporal: join(home, 'temporal'),
    logs: join(home, 'logs'),
    work: join(home, 'work'),
    run: join(home, 'run'),
  };
}

/**
 * Creates the home if it is missing and locks it for this process, so that two starts never share one database.
 * The lock holds the pid and start time. A lock that a killed process left is taken over.
 * @throws SecuError `home_in_use` naming the pid | `embedded_failed` when the folder cannot be created
 */
export function acquireHome(home: string): HeldHome {
  const layout = homeLayout(home);
  makeFolders(layout);
  const { holder, release } = tryLock(join(layout.run, 'home.lock'));
  if (release === null) {
    throw new SecuError(
      'home_in_use',
      `${home} is in use by process ${holder.pid}. Stop that one first, or set another SECU_HOME for this one.`,
      { details: { pid: holder.pid } },
    );
  }
  return { ...layout, release };
}

/** The pid that holds the home, or null. Does not change the lock. */
export function homeHolder(home: string): number | null {
  return lockHolder(join(homeLayout(home).run, 'home.lock'))?.pid ?? null;
}

/**
 * A loopback port that stays the same across restarts, so that bookmarks and settings stay valid. It changes only
 * when another process listens on it.
 * @param file stores the number
 */
export async function persistentPort(file: string): Promise<number> {
  const stored = readStoredPort(file);
  if (stored !== null && (await isFree(stored))) return stored;
  const port = await freePort();
  writeFileSync(file, `${port}\n`, { mode: 0o600 });
  return port;
}

/** A free port on loopback. */
export async function freePort(): Promise<number> {
  const port = await tryListen(0);
  if (port === null) throw new SecuError('embedded_failed', 'no port is free on 127.0.0.1');
  return port;
}

function readStoredPort(file: string): number | null {
  try {
    const port = Number(readFileSync(file, 'utf8').trim());
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
  } catch (err) {
    if (hasCode(err, 'ENOENT')) return null; // the first start
    throw err;
  }
}

async function isFree(port: number): Promise<boolean> {
  return (await tryListen(port)) !== null;
}

function tryListen(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}

function makeFolders(layout: HomeLayout): void {
  // User `postgres` must be able to enter its own folder through the home; it cannot list the home.
  const passable = process.getuid?.() === 0 ? 0o711 : 0o700;
  try {
    mkdirSync(layout.root, { recursive: true, mode: passable });
    chmodSync(layout.root, passable);
    for (const folder of [
      layout.keys,
      layout.temporal,
      layout.logs,
      layout.work,
      layout.run,
      layout.postgres,
    ]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      chmodSync(folder, 0o700);
    }
  } catch (err) {
    throw new SecuError('embedded_failed', `${layout.root} cannot be made: ${String(err)}`, { cause: err });
  }
}
