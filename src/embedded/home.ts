import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { hasCode, lockHolder, tryLock } from '../../tools/lock.js';
import { SecuError } from '../domain/errors.ts';

/** Where each part of the embedded default keeps its things, as absolute paths. */
export interface HomeLayout {
  readonly root: string;
  /** Key ring, database password, the command line's key. Only for the user that runs Secu. */
  readonly keys: string;
  /** The database. As root it belongs to user `postgres`, because PostgreSQL refuses to run as root. */
  readonly postgres: string;
  readonly temporal: string;
  readonly logs: string;
  /** Clones, while they are scanned. */
  readonly work: string;
  /** Records of running child processes, and the lock. */
  readonly run: string;
}

/** A home that this process holds. */
export interface HeldHome extends HomeLayout {
  readonly release: () => void;
}

/** The layout under a home, without touching the disk. */
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
 * Creates the home when it is missing and locks it for this process, so that two starts never share one database. The lock
 * holds pid and start time; a lock that a killed process left is taken over.
 * @throws SecuError `home_in_use` naming the pid | `embedded_failed` when the folder cannot be created
 */
export function acquireHome(home: string): HeldHome {
  const layout = homeLayout(home);
  makeFolders(layout);
  const { holder, release } = tryLock(join(layout.run, 'home.lock'));
  if (release === null) {
    throw new SecuError(
      'home_in_use',
      `${home} is in use by process ${holder.pid}. Stop that one first, or give this one a SECU_HOME of its own.`,
      { details: { pid: holder.pid } },
    );
  }
  return { ...layout, release };
}

/** The pid that holds the home, or null. Only looks. */
export function homeHolder(home: string): number | null {
  return lockHolder(join(homeLayout(home).run, 'home.lock'))?.pid ?? null;
}

/**
 * A port on loopback that stays the same over restarts, so that addresses in bookmarks and settings stay valid. It changes
 * only when another process listens there.
 * @param file stores the number
 */
export async function keptPort(file: string): Promise<number> {
  const kept = readKeptPort(file);
  if (kept !== null && (await isFree(kept))) return kept;
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

function readKeptPort(file: string): number | null {
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
  // User `postgres` must be able to pass through the home to its own folder; it cannot list it.
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
