import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isSystemError } from '../domain/system-error.ts';

const POLL_MS = 1_000;

/** Bytes of all files below a folder. Files that disappear meanwhile are not counted. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await listing(folder)) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? await folderBytes(path) : await fileBytes(path);
  }
  return bytes;
}

/**
 * Checks the size of the folder every second until the signal fires, and calls `onExceeded` once when it exceeds the limit.
 * git has no such limit for a fetch. `ulimit` bounds each single file; this bounds all files together.
 */
export async function watchFolder(input: {
  folder: string;
  maxBytes: number;
  onExceeded: () => void;
  signal: AbortSignal;
}): Promise<void> {
  for (;;) {
    await delay(POLL_MS, undefined, { signal: input.signal }).catch(ignoreAbort);
    if (input.signal.aborted) return;
    if ((await folderBytes(input.folder)) > input.maxBytes) return input.onExceeded();
  }
}

async function listing(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (err) {
    if (isSystemError(err, 'ENOENT')) return [];
    throw err;
  }
}

async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (err) {
    if (isSystemError(err, 'ENOENT')) return 0;
    throw err;
  }
}

function ignoreAbort(err: unknown): void {
  if (!isSystemError(err, 'AbortError')) throw err;
}
