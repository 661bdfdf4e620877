import { readFileSync, readlinkSync } from 'node:fs';
import { mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readProcessStart } from '../../tools/lock.js';
import { isSystemError } from '../domain/system-error.ts';

const OWNER_FILE = 'owner.json';
const Owner = z.object({ place: z.string(), pid: z.number().int(), start: z.string() });

/** A file that names the process that owns a folder on a shared volume. */
export interface OwnerNote {
  /** Renews the note. Creates the folder again if another process removed it as abandoned. */
  renew(): Promise<void>;
  /**
   * True when the owner of the folder is gone: for an owner in the same boot and pid namespace, by the process table; for
   * any other owner by the age of its note, measured with the clock of the volume.
   */
  isGone(folder: string, goneAfterMs: number): Promise<boolean>;
}

/** The note for a folder of this process. */
export function createOwnerNote(folder: string): OwnerNote {
  const file = join(folder, OWNER_FILE);
  const place = processNamespace();
  const note = JSON.stringify({ place, pid: process.pid, start: readProcessStart(process.pid) ?? '' });
  return {
    async renew() {
      try {
        await utimes(file, new Date(), new Date());
      } catch (err) {
        if (!isSystemError(err, 'ENOENT')) throw err;
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(file, note, { mode: 0o600 });
      }
    },
    async isGone(other, goneAfterMs) {
      const { mtimeMs: nowMs } = await stat(file);
      const owner = await ownerOf(other);
      return owner?.place === place
        ? readProcessStart(owner.pid) !== owner.start
        : nowMs - (await lastModifiedMs(other)) > goneAfterMs;
    },
  };
}

/** Identifies the boot and pid namespace, within which processes see each other's pids. @see pid_namespaces(7) */
function processNamespace(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
}

/** `null` when there is no note, or a partial one. */
async function ownerOf(folder: string): Promise<z.infer<typeof Owner> | null> {
  try {
    return Owner.parse(JSON.parse(await readFile(join(folder, OWNER_FILE), 'utf8')));
  } catch (err) {
    if (isSystemError(err, 'ENOENT', 'ENOTDIR', 'SyntaxError', 'ZodError')) return null;
    throw err;
  }
}

/** When the note (or, without one, the folder) was last modified; infinity when it was removed meanwhile. */
async function lastModifiedMs(folder: string): Promise<number> {
  for (const path of [join(folder, OWNER_FILE), folder]) {
    try {
      return (await stat(path)).mtimeMs;
    } catch (err) {
      if (!isSystemError(err, 'ENOENT', 'ENOTDIR')) throw err;
    }
  }
  return Number.POSITIVE_INFINITY;
}
