import { randomUUID } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../domain/system-error.ts';
import type { Log } from '../log/logger.ts';
import type { OwnerNote } from './owner-note.ts';
import { createOwnerNote } from './owner-note.ts';

/** A folder for the clones of this worker, on a volume that it may share with other workers. */
export interface WorkFolder {
  readonly path: string;
  /** Removes the folders of dead workers. @returns how many */
  sweep(): Promise<number>;
  /** Removes the folder. */
  close(): Promise<void>;
}

const HEARTBEAT_MS = 60_000;
/**
 * A worker on another host whose note is this old counts as gone. If it was only suspended, it has lost its scans:
 * Temporal gave them to others after ten seconds without a heartbeat, and its later writes match no row.
 */
const GONE_AFTER_MS = 10 * 60_000;

/**
 * Opens a folder below `parent` and, as long as it is open, renews its note and removes the folders of dead workers.
 * Host name and pid do not identify a worker: in a container the pid is often 1, and host names can repeat.
 * So each folder has a unique name and a note of its owner. Whether an owner in the same boot and pid namespace
 * lives is read from the process table; for any other owner the age of its note decides.
 */
export async function openWorkFolder({
  parent,
  log,
  heartbeatMs = HEARTBEAT_MS,
  goneAfterMs = GONE_AFTER_MS,
}: {
  parent: string;
  log: Log;
  heartbeatMs?: number;
  goneAfterMs?: number;
}): Promise<WorkFolder> {
  const path = join(parent, randomUUID());
  const owner = createOwnerNote(path);
  await owner.renew();

  const sweep = async () => {
    const gone = await foldersOfGoneWorkers({ parent, path, owner, goneAfterMs });
    let swept = 0;
    for (const name of gone) if (await removeFolder(parent, name)) swept += 1;
    if (swept > 0) log.info({ swept }, 'work folders of workers that are gone were removed');
    return swept;
  };
  const heartbeat = async () => {
    try {
      await owner.renew();
      await sweep();
    } catch (err) {
      log.warn({ err }, 'the work folder could not be maintained');
    }
  };
  await sweep();
  let lastHeartbeat = Promise.resolve();
  const timer = setInterval(() => {
    lastHeartbeat = lastHeartbeat.then(heartbeat);
  }, heartbeatMs);
  timer.unref();

  return {
    path,
    sweep,
    async close() {
      clearInterval(timer);
      await lastHeartbeat;
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function foldersOfGoneWorkers(input: {
  parent: string;
  path: string;
  owner: OwnerNote;
  goneAfterMs: number;
}): Promise<string[]> {
  const { parent, path, owner, goneAfterMs } = input;
  const gone: string[] = [];
  for (const name of await readdir(parent)) {
    const folder = join(parent, name);
    if (folder !== path && (await owner.isGone(folder, goneAfterMs))) gone.push(name);
  }
  return gone;
}

/** Renames the folder first, so that only one of several workers removes it. @returns true for that one */
async function removeFolder(parent: string, name: string): Promise<boolean> {
  const claimed = join(parent, `removed-${randomUUID()}`);
  try {
    await rename(join(parent, name), claimed);
  } catch (err) {
    if (isSystemError(err, 'ENOENT')) return false;
    throw err;
  }
  await rm(claimed, { recursive: true, force: true });
  return true;
}
