import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { acquireHome, homeHolder, homeLayout, persistentPort } from '../../src/embedded/home.ts';
import { endLeftovers } from '../../src/embedded/processes.ts';
import { isAlive, killHard, startProgram, until } from './support.ts';

let folder: string;
let home: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secu-home-'));
  home = join(folder, 'home');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Report {
  port: number;
  pids: Record<'postgres' | 'stubborn' | 'node-child', number>;
}

test('a second start is refused and names the process that holds the home', async () => {
  const { child } = await startProgram<Report>('supervisor-program.ts', [home]);
  try {
    expect(() => acquireHome(home)).toThrow(expect.objectContaining({ code: 'home_in_use' }));
    expect(() => acquireHome(home)).toThrow(`process ${child.pid}`);
    expect(homeHolder(home)).toBe(child.pid);
  } finally {
    child.kill('SIGTERM');
    await until('the supervisor ends', () => child.exitCode !== null);
  }
  expect(child.exitCode).toBe(0);
  expect(homeHolder(home)).toBeNull();
});

test('after kill -9, the next start ends all leftover processes and takes over the home', async () => {
  const { child, report } = await startProgram<Report>('supervisor-program.ts', [home]);
  await killHard(child);
  const layout = acquireHome(home);
  const printed: string[] = [];
  await endLeftovers(layout, (line) => printed.push(line));
  const remaining = Object.entries(report.pids).filter(([, pid]) => isAlive(pid));
  expect(remaining).toEqual([]);
  expect(printed).toContainEqual(
    expect.stringContaining(`ending stubborn (process ${report.pids.stubborn})`),
  );
  layout.release();
});

test('a node child ends by itself when its parent has ended', async () => {
  const { child, report } = await startProgram<Report>('supervisor-program.ts', [home]);
  await killHard(child);
  await until('the node child ends', () => !isAlive(report.pids['node-child']));
  const layout = acquireHome(home);
  await endLeftovers(layout, () => {});
  layout.release();
});

test('a lock whose pid now belongs to another process is taken over', () => {
  const { run } = homeLayout(home);
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'home.lock'), `${process.ppid} 1\n`);
  acquireHome(home).release();
});

test('a record whose pid now belongs to another process is ignored', async () => {
  const layout = acquireHome(home);
  const record = {
    name: 'postgres',
    pid: process.ppid,
    start: '1',
    commandLine: [],
    stopSignal: 'SIGINT',
    stopGraceMs: 1,
  };
  writeFileSync(join(layout.run, 'postgres.json'), JSON.stringify(record));
  await endLeftovers(layout, () => {});
  expect(isAlive(process.ppid)).toBe(true);
  layout.release();
});

test('only its owner can read the folders of a home', () => {
  const { root, keys, run, work, logs, release } = acquireHome(home);
  const others = (path: string) => statSync(path).mode & 0o077;
  expect([keys, run, work, logs].map(others)).toEqual([0, 0, 0, 0]);
  // User postgres has to pass through, without listing.
  expect(others(root)).toBe(process.getuid?.() === 0 ? 0o011 : 0);
  release();
});

test('a port stays the same until another process listens on it', async () => {
  const file = join(folder, 'port');
  const port = await persistentPort(file);
  expect(await persistentPort(file)).toBe(port);
  const other = createServer().listen(port, '127.0.0.1');
  await until('listening', () => other.listening);
  expect(await persistentPort(file)).not.toBe(port);
  await new Promise((resolve) => other.close(resolve));
});
