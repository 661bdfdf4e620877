import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { memoryFolder } from '../../subprocess/memory-file.ts';
import { keyFileOf } from '../keys.ts';
import type { DoctorPart } from './part.ts';
import { part } from './part.ts';

/** Git gets the token through an unnamed file in memory. */
export function examineMemory(): DoctorPart {
  const folder = memoryFolder();
  if (folder !== null)
    return part('memory file system', { source: folder, detail: 'supports unnamed files' });
  return part('memory file system', {
    status: 'failed',
    detail: 'neither /dev/shm nor /run is a writable memory file system',
    advice: 'Mount a tmpfs at /dev/shm that this user can write; in a container: --tmpfs /dev/shm.',
  });
}

/** Files that must be readable only by the owner: the key ring and the key of the command line. */
export function examineKeys({ home, vault }: Pick<Config, 'home' | 'vault'>): DoctorPart[] {
  const ring =
    vault.keyRing === null
      ? examineFile({ name: 'key ring', path: keyFileOf(home), absent: 'created at the first start' })
      : part('key ring', {
          source: 'SECU_KEYS',
          detail: 'from a setting; keep a copy apart from the backups',
        });
  return [
    ring,
    examineFile({
      name: 'command line key',
      path: join(home, 'keys', 'cli.key'),
      absent: 'created by "secu up"',
    }),
  ];
}

function examineFile(input: { name: string; path: string; absent: string }): DoctorPart {
  const { name, path } = input;
  if (!existsSync(path)) return part(name, { source: path, detail: input.absent });
  const mode = statSync(path).mode & 0o777;
  const detail = `mode ${mode.toString(8).padStart(4, '0')}`;
  if ((mode & 0o077) === 0) return part(name, { source: path, detail });
  return part(name, {
    source: path,
    status: 'failed',
    detail: `${detail}: other users of this machine can read it`,
    advice: `Run "chmod 600 ${path}", and replace the key if another user may have read it.`,
  });
}
