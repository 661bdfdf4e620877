import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { memoryFolder } from '../../git/memory-file.ts';
import { keyFileOf } from '../keys.ts';
import type { DoctorPart } from './part.ts';
import { part } from './part.ts';

/** Git gets a token through a file in memory that never had a name. */
export function examineMemory(): DoctorPart {
  const folder = memoryFolder();
  if (folder !== null)
    return part('memory file system', { source: folder, detail: 'takes files without a name' });
  return part('memory file system', {
    status: 'failed',
    detail: 'neither /dev/shm nor /run is a file system in memory that we may write',
    advice: 'Mount a tmpfs at /dev/shm that this user may write; in a container: --tmpfs /dev/shm.',
  });
}

/** Files that whoever can read them can act with: the key ring, and the command line's key. */
export function examineKeys({ home, vault }: Pick<Config, 'home' | 'vault'>): DoctorPart[] {
  const ring =
    vault.keyRing === null
      ? examineFile({ name: 'key ring', path: keyFileOf(home), absent: 'made at the first start' })
      : part('key ring', { source: 'SECU_KEYS', detail: 'given by setting; keep a copy apart from backups' });
  return [
    ring,
    examineFile({
      name: 'command line key',
      path: join(home, 'keys', 'cli.key'),
      absent: 'made by "secu up"',
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
    detail: `${detail}: others of this machine can read it`,
    advice: `Run "chmod 600 ${path}", and replace what it holds if somebody may have read it.`,
  });
}
