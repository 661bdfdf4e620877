import { randomUUID } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../domain/system-error.ts';
import type { Log } from '../log/logger.ts';
import type { OwnerNote } from './owner-note.ts';
import { ownerNoteOf } from './owner-note.ts';

/** A folder of this worker's own for its clones, on a volume that it may share with any number of others. */
export interface WorkFolder {
  readonly path: string;
  /** Removes what workers left that are gone. @returns how many folders of workers */
  sweep(): Promise<number>;
  /** Removes the folder. */
  close(): Promise<void>;
}

const BEAT_MS = 60_000;
/**
 * A worker of another place that gave no sign for this long is gone. One that only slept that long lost its scans by
 * then: Temporal handed them to others after ten seconds without a heartbeat, and what it still writes finds no row.
 */
const GONE_AFTER_MS = 10 * 60_000;

/**
 * Opens a folder below `parent`, removes what is left there by workers that are gone, and goes on doing both for as long
 * as it is open. Host name and pid do not tell workers apart: in a container the pid is often 1, and a host name can be
 * given twice. So each folder has a name of its own and a note of its owner. Whether an owner of the same place (same
 * boot, same pid namespace) lives, the process table says; of one elsewhere, the age of its note.
 */
export async function openWorkFolder({
  parent,
  log,
  beatMs = BEAT_MS,
  goneAfterMs = GONE_AFTER_MS,
}: {
  parent: string;
  log: Log;
  beatMs?: number;
  goneAfterMs?: number;
}): Promise<WorkFolder> {
  const path = join(parent, randomUUID());
  const owner = ownerNoteOf(path);
  await owner.giveSign();

  const sweep = async () => {
    const gone = await foldersOfGoneWorkers({ parent, path, owner, goneAfterMs });
    let swept = 0;
    for (const name of gone) if (await removeWhole(parent, name)) swept += 1;
    if (swept > 0) log.info({ swept }, 'work folders of workers that are gone were removed');
    return swept;
  };
  const beat = async () => {
    try {
      await owner.giveSign();
      await sweep();
    } catch (err) {
      log.warn({ err }, 'the work folder could not be looked after');
    }
  };
  await sweep();
  let beating = Promise.resolve();
  const timer = setInterval(() => {
    beating = beating.then(beat);
  }, beatMs);
  timer.unref();

  return {
    path,
    sweep,
    async close() {
      clearInterval(timer);
      await beating;
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

/** Moved away first, so that of several that find it one removes it. @returns whether this one did */
async function removeWhole(parent: string, name: string): Promise<boolean> {
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
