import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { SYSTEM_PATH } from './system-path.ts';

const LIMIT = /^Max core file size\s+(\S+)\s+(\S+)/m;

/**
 * Sets the core file size limit of this process and its children to 0, because its memory holds tokens and keys.
 * Node has no API for this, so `prlimit` does it from outside.
 * @returns false where core dumps are still on
 * @see prlimit(1), core(5)
 */
export function disableCoreDumps(): boolean {
  if (!canDumpCore()) return true;
  spawnSync('prlimit', ['--pid', String(process.pid), '--core=0:0'], {
    env: { PATH: SYSTEM_PATH },
    stdio: 'ignore',
  });
  return !canDumpCore();
}

/** Whether the kernel may write a core file of this process. */
export function canDumpCore(): boolean {
  const [, soft, hard] = LIMIT.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return soft !== '0' || hard !== '0';
}
