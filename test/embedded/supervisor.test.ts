import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { HeldHome } from '../../src/embedded/home.ts';
import { acquireHome } from '../../src/embedded/home.ts';
import type { ChildSpec, Supervisor } from '../../src/embedded/supervisor.ts';
import { createSupervisor, superviseChildren } from '../../src/embedded/supervisor.ts';
import { SYSTEM_PATH } from '../../src/subprocess/system-path.ts';
import { isAlive, until } from './support.ts';

let folder: string;
let layout: HeldHome;
let printed: string[];
let supervisor: Supervisor | null;
const printLine = (line: string) => void printed.push(line);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secu-supervisor-'));
  layout = acquireHome(folder);
  printed = [];
  supervisor = null;
});

afterEach(async () => {
  await supervisor?.stop();
  layout.release();
  rmSync(folder, { recursive: true, force: true });
});

const trace = () => readFileSync(join(folder, 'trace'), 'utf8').trim().split('\n');

/** A shell program that writes its start and its stop signal to `trace`, and is ready once it has started. */
function shellChild(name: string, change: Partial<ChildSpec> = {}): ChildSpec {
  const file = join(folder, 'trace');
  const script = `trap 'echo stop ${name} >>${file}; exit 0' TERM; echo start ${name} >>${file}; while :; do sleep 0.05; done`;
  return {
    name,
    command: '/bin/sh',
    args: ['-c', script],
    env: { PATH: SYSTEM_PATH },
    stopSignal: 'SIGTERM',
    stopGraceMs: 5_000,
    ready: () => until(`${name} starts`, () => existsSync(file) && trace().includes(`start ${name}`)),
    readyTimeoutMs: 30_000,
    ...change,
  };
}

test('starts children in order, each when the previous one is ready, and stops them in reverse order', async () => {
  supervisor = await superviseChildren([shellChild('one'), shellChild('two')], { layout, printLine });
  await supervisor.stop();
  expect(trace()).toEqual(['start one', 'start two', 'stop two', 'stop one']);
});

test('restarts a child that ends unexpectedly, and reports how it ended', async () => {
  supervisor = await superviseChildren([shellChild('one')], { layout, printLine });
  process.kill(supervisor.status()[0]?.pid ?? 0, 'SIGKILL');
  await until('it runs again', () => supervisor?.status()[0]?.restarts === 1 && trace().length === 2);
  expect(printed).toEqual(['one ended (SIGKILL); starting it again']);
});

test('kills the whole group of a child that does not stop within its grace period', async () => {
  const args = ['-c', `trap '' TERM; sleep 600 & echo $! >${join(folder, 'grandchild')}; wait; sleep 600`];
  const ready = () => until('it runs', () => existsSync(join(folder, 'grandchild')));
  const spec = shellChild('stubborn', { args, ready, stopGraceMs: 200 });
  supervisor = await superviseChildren([spec], { layout, printLine });
  await supervisor.stop();
  const grandchild = Number(readFileSync(join(folder, 'grandchild'), 'utf8'));
  await until('the grandchild ends', () => !isAlive(grandchild));
});

test('a child that does not start fails the whole start with the end of its log, and nothing is left running', async () => {
  const broken = shellChild('broken', {
    args: ['-c', 'echo no such table; exit 3'],
    ready: () => new Promise(() => {}),
  });
  const started = superviseChildren([shellChild('one'), broken], { layout, printLine });
  await expect(started).rejects.toThrow(/broken did not start: it ended \(exit 3\)[\s\S]*no such table/);
  expect(trace()).toEqual(['start one', 'stop one']);
});

test('a child that ends during its first start is started again', async () => {
  const file = join(folder, 'second');
  const args = ['-c', `[ -e ${file} ] || { touch ${file}; exit 2; }; echo ready >>${file}; sleep 600`];
  const ready = () => until('it runs', () => existsSync(file) && readFileSync(file, 'utf8') !== '');
  supervisor = await superviseChildren([shellChild('unlucky', { args, ready })], { layout, printLine });
  expect(printed).toEqual(['unlucky did not start: it ended (exit 2); starting it again']);
});

test('the reason of a Go crash is reported, not only the end of its stack trace', async () => {
  const trace = Array.from({ length: 20 }, (_, depth) => `main.call${depth}()`).join('\\n');
  const crashing = shellChild('crashing', {
    args: ['-c', `printf 'panic: no port is free\\n\\n${trace}\\n'; exit 2`],
    ready: () => new Promise(() => {}),
  });
  const started = superviseChildren([crashing], { layout, printLine });
  await expect(started).rejects.toThrow(/panic: no port is free\nmain\.call15[\s\S]*main\.call19/);
});

test('a child that is not ready in time is ended', async () => {
  const ready = (signal: AbortSignal) =>
    new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const started = superviseChildren([shellChild('slow', { ready, readyTimeoutMs: 300 })], {
    layout,
    printLine,
  });
  await expect(started).rejects.toThrow(/slow did not start: not ready after 0.3 s/);
});

test('a child gets only its own environment', async () => {
  const file = join(folder, 'environment');
  const args = ['-c', `env >${file}.new; mv ${file}.new ${file}; sleep 600`];
  const ready = () => until('it runs', () => existsSync(file));
  supervisor = await superviseChildren(
    [shellChild('bare', { args, ready, env: { PATH: SYSTEM_PATH, A: '1' } })],
    {
      layout,
      printLine,
    },
  );
  const names = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0] ?? '');
  const byTheShell = new Set(['PWD', 'SHLVL', 'OLDPWD', '_']);
  expect(names.filter((name) => !byTheShell.has(name)).sort()).toEqual(['A', 'PATH', 'SECU_PART_OF']);
});

test('a large log is renamed at the next start', async () => {
  const log = join(layout.logs, 'one.log');
  writeFileSync(log, '');
  appendFileSync(log, Buffer.alloc(10 * 2 ** 20, 'x'));
  supervisor = createSupervisor({ layout, printLine });
  await supervisor.start(shellChild('one'));
  expect(readFileSync(log, 'utf8')).toBe('');
  expect(existsSync(`${log}.1`)).toBe(true);
});
