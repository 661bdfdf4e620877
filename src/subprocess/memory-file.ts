import { closeSync, constants, openSync, statfsSync, writeSync } from 'node:fs';

/** @see statfs(2), TMPFS_MAGIC */
const TMPFS_MAGIC = 0x01_02_19_94;
/** @see open(2): `__O_TMPFILE`, which has the same value on x64 and arm64 */
const O_TMPFILE_BIT = 0o20_000_000;
const MEMORY_FOLDERS = ['/dev/shm', '/run'];

/** An unnamed file in memory; child processes reach it through its descriptor. */
export interface MemoryFile {
  readonly fd: number;
  close(): void;
}

/** A folder in a memory file system that supports unnamed files; `null` on a machine without one. */
export function memoryFolder(folders: readonly string[] = MEMORY_FOLDERS): string | null {
  return folders.find(isUsable) ?? null;
}

/** @throws system errors as they are */
export function openMemoryFile({ folder, content }: { folder: string; content: string }): MemoryFile {
  const fd = openSync(folder, O_TMPFILE_BIT | constants.O_DIRECTORY | constants.O_RDWR, 0o600);
  try {
    const bytes = Buffer.from(content);
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
    bytes.fill(0);
  } catch (err) {
    closeSync(fd);
    throw err;
  }
  return { fd, close: () => closeSync(fd) };
}

function isUsable(folder: string): boolean {
  try {
    if (statfsSync(folder).type !== TMPFS_MAGIC) return false;
    openMemoryFile({ folder, content: '' }).close();
    return true;
  } catch {
    return false; // missing, not writable, or a kernel without unnamed files
  }
}
