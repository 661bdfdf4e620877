import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import { gitRemoteLimits } from '../../src/subprocess/limits.ts';
import { runProcess } from '../../src/subprocess/process.ts';
import { SYSTEM_PATH } from '../../src/subprocess/system-path.ts';

const MIB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'secu-limits-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const limits = { maxMemoryBytes: 256 * MIB, maxCpuSeconds: 1, maxFileBytes: 64 * 1024 };

function run(script: string) {
  return runProcess({
    command: '/bin/sh',
    args: ['-c', script],
    env: { PATH: SYSTEM_PATH },
    folder,
    limits,
    maxStdoutBytes: MIB,
    signal: AbortSignal.timeout(30_000),
  });
}

test.each([
  [2 ** 20, 2 ** 29],
  [2 ** 31, 2 ** 29],
  [2 ** 33, 2 ** 31],
])('a clone limit of %d bytes gives git %d bytes of memory', (maxFileBytes, maxMemoryBytes) => {
  expect(gitRemoteLimits(maxFileBytes)).toMatchObject({ maxFileBytes, maxMemoryBytes });
});

test('the kernel limits memory, processor time, file size and processes of a program, and writes no core file', async () => {
  const { stdout } = await run('cat /proc/self/limits');
  const value = (name: string) => new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(stdout.toString())?.[1];
  expect(value('Max address space')).toBe(String(limits.maxMemoryBytes));
  expect(value('Max cpu time')).toBe('1');
  expect(value('Max file size')).toBe(String(limits.maxFileBytes));
  expect(value('Max core file size')).toBe('0');
  expect(Number(value('Max processes'))).toBeLessThanOrEqual(4_096);
});

test('a program that computes endlessly is killed', async () => {
  const { exitCode } = await run('while :; do :; done');
  expect(exitCode).toBeGreaterThan(128);
});

test('a program that writes too large a file gets an error', async () => {
  const { exitCode, stderr } = await run('head -c 1000000 /dev/zero > large');
  expect(exitCode).not.toBe(0);
  expect(stderr).toMatch(/File too large/);
});

test('the settings of the supervisor are not in the environment of the program', async () => {
  const { stdout } = await run('env');
  expect(stdout.toString()).not.toContain('SECU_');
});

test('our processes and their children write no core file', () => {
  const module = fileURLToPath(new URL('../../src/subprocess/core-dumps.ts', import.meta.url));
  const script = `
    import { spawnSync } from 'node:child_process';
    import { canDumpCore, disableCoreDumps } from ${JSON.stringify(module)};
    const limits = () => spawnSync('sh', ['-c', 'ulimit -c'], { encoding: 'utf8' }).stdout.trim();
    console.log(JSON.stringify([disableCoreDumps(), canDumpCore(), limits()]));`;
  const { stdout } = spawnSync(
    '/bin/sh',
    [
      '-c',
      'ulimit -c unlimited 2>/dev/null; exec "$@"',
      'sh',
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      script,
    ],
    { encoding: 'utf8' },
  );
  expect(JSON.parse(stdout)).toEqual([true, false, '0']);
});
