import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readProcessStart } from '../../tools/lock.js';
import { isSystemError } from '../domain/system-error.ts';
import type { Log } from '../log/logger.ts';

/** A folder of this worker's own for its clones, on a volume that it may share with any number of others. */
export interface WorkFolder {
  readonly path: string;
  /** Removes what workers left that are gone. @returns how many folders of workers */
  sweep(): Promise<number>;
  /** Removes the folder. */
  close(): Promise<void>;
}

const OWNER_FILE = 'owner.json';
const BEAT_MS = 60_000;
/**
 * A worker of another place that gave no sign for this long is gone. One that only slept that long lost its scans by
 * then: Temporal handed them to others after ten seconds without a heartbeat, and what it still writes finds no row.
 */
const GONE_AFTER_MS = 10 * 60_000;

const Owner = z.object({ place: z.string(), pid: z.number().int(), start: z.string() });
type Owner = z.infer<typeof Owner>;

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
  const owner: Owner = {
    place: placeOfProcesses(),
    pid: process.pid,
    start: readProcessStart(process.pid) ?? '',
  };
  const note = JSON.stringify(owner);
  await giveSign({ path, note });

  const sweep = async () => {
    const gone = await foldersOfGoneWorkers({ parent, path, place: owner.place, goneAfterMs });
    let swept = 0;
    for (const name of gone) if (await removeWhole(parent, name)) swept += 1;
    if (swept > 0) log.info({ swept }, 'work folders of workers that are gone were removed');
    return swept;
  };
  const beat = async () => {
    try {
      await giveSign({ path, note });
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

/** Processes of one place see each other's pids: one boot of one kernel, one pid namespace. @see pid_namespaces(7) */
function placeOfProcesses(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
}

/** Makes the folder again where somebody took it for one of a worker that is gone. */
async function giveSign({ path, note }: { path: string; note: string }): Promise<void> {
  const file = join(path, OWNER_FILE);
  try {
    await utimes(file, new Date(), new Date());
  } catch (err) {
    if (!isSystemError(err, 'ENOENT')) throw err;
    await mkdir(path, { recursive: true, mode: 0o700 });
    await writeFile(file, note, { mode: 0o600 });
  }
}

async function foldersOfGoneWorkers(input: {
  parent: string;
  path: string;
  place: string;
  goneAfterMs: number;
}): Promise<string[]> {
  const { parent, path, place, goneAfterMs } = input;
  // Ages are told by the clock of the volume, which need not be ours.
  const { mtimeMs: nowMs } = await stat(join(path, OWNER_FILE));
  const gone: string[] = [];
  for (const name of await readdir(parent)) {
    const folder = join(parent, name);
    if (folder === path) continue;
    const owner = await ownerOf(folder);
    const isGone =
      owner?.place === place
        ? readProcessStart(owner.pid) !== owner.start
        : nowMs - (await lastSignMs(folder)) > goneAfterMs;
    if (isGone) gone.push(name);
  }
  return gone;
}

/** `null`: no note, or half of one. */
async function ownerOf(folder: string): Promise<Owner | null> {
  try {
    return Owner.parse(JSON.parse(await readFile(join(folder, OWNER_FILE), 'utf8')));
  } catch (err) {
    if (isSystemError(err, 'ENOENT', 'ENOTDIR', 'SyntaxError', 'ZodError')) return null;
    throw err;
  }
}

/** When its note was touched, or where it has none, the folder; now, where somebody else removed it meanwhile. */
async function lastSignMs(folder: string): Promise<number> {
  for (const path of [join(folder, OWNER_FILE), folder]) {
    try {
      return (await stat(path)).mtimeMs;
    } catch (err) {
      if (!isSystemError(err, 'ENOENT', 'ENOTDIR')) throw err;
    }
  }
  return Number.POSITIVE_INFINITY;
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
