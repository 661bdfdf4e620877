import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../../src/domain/system-error.ts';

/** A fake gitleaks: lines of sh, in which `$REAL` is the real program. */
export async function createFakeScanner(input: {
  folder: string;
  name: string;
  real: string;
  lines: readonly string[];
}): Promise<{ path: string; version: string }> {
  const path = join(input.folder, `gitleaks-${input.name}`);
  await writeFile(path, ['#!/bin/sh', `REAL='${input.real}'`, ...input.lines, ''].join('\n'));
  await chmod(path, 0o755);
  return { path, version: '8.30.1' };
}

/** The log of gitleaks after a successful run. */
export function correctOutput(input: { commits: number; bytes: number; leaks: number }): string[] {
  const { commits, bytes, leaks } = input;
  const last = leaks === 0 ? 'INF no leaks found' : `WRN leaks found: ${leaks}`;
  return [
    `echo '1:00PM INF ${commits} commits scanned.' >&2`,
    `echo '1:00PM INF scanned ~${bytes} bytes (${bytes} bytes) in 1ms' >&2`,
    `echo '1:00PM ${last}' >&2`,
  ];
}

/** Other processes that run in or below this folder, or name it in their arguments. */
export function programsOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((id) => knows({ id, folder }));
}

function knows({ id, folder }: { id: string; folder: string }): boolean {
  try {
    const words = readFileSync(`/proc/${id}/cmdline`, 'utf8');
    return words.includes(folder) || readlinkSync(`/proc/${id}/cwd`).startsWith(folder);
  } catch (err) {
    // It ended in the meantime.
    if (isSystemError(err, 'ENOENT', 'ESRCH', 'EACCES')) return false;
    throw err;
  }
}
