import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import type { WorkFolder } from '../../src/folder-lease/work-folder.ts';
import { openWorkFolder } from '../../src/folder-lease/work-folder.ts';
import { createLogger } from '../../src/log/logger.ts';
import { readProcessStart } from '../../tools/lock.js';

const log = createLogger({ level: 'silent', format: 'json' });
const LONG_AGO = new Date(Date.now() - 11 * 60_000);

let parent: string;
let mine: WorkFolder;

beforeEach(async () => {
  parent = join(mkdtempSync(join(tmpdir(), 'secu-work-')), 'work', 'scans');
  mine = await openWorkFolder({ parent, log, heartbeatMs: 50 });
});

afterEach(async () => {
  await mine.close();
  rmSync(join(parent, '..', '..'), { recursive: true, force: true });
});

/** The folder of another worker, with a workspace in it. */
function createForeignFolder(name: string, owner: object, signAt: Date): string {
  const folder = join(parent, name);
  mkdirSync(join(folder, 'scn_one', 'repository.git'), { recursive: true });
  writeFileSync(join(folder, 'owner.json'), JSON.stringify(owner));
  utimesSync(join(folder, 'owner.json'), signAt, signAt);
  return folder;
}

const readOwnNote = () => JSON.parse(readFileSync(join(mine.path, 'owner.json'), 'utf8'));

/** The PID that a container engine gives to the first process of every container. */
const foreignOwner = { place: 'another container', pid: 1, start: readProcessStart(1) };

test('a dead worker in the same PID namespace is cleaned up at once, even if another process has its PID now', async () => {
  const ended = spawn('true');
  await once(ended, 'exit');
  const dead = createForeignFolder('dead', { ...readOwnNote(), pid: ended.pid }, new Date());
  const reused = createForeignFolder(
    'reused',
    { ...readOwnNote(), pid: process.pid, start: '1' },
    new Date(),
  );
  await mine.sweep();
  expect([dead, reused].map(existsSync)).toEqual([false, false]);
});

test('a live worker in the same PID namespace is kept, even after a long time without a heartbeat', async () => {
  const living = spawn('sleep', ['60']);
  try {
    const note = { ...readOwnNote(), pid: living.pid, start: readProcessStart(living.pid ?? 0) };
    const folder = createForeignFolder('living', note, LONG_AGO);
    await mine.sweep();
    expect(existsSync(folder)).toBe(true);
  } finally {
    living.kill();
  }
});

test('two containers whose first processes have the same PID do not consider each other dead', async () => {
  const folder = createForeignFolder('beside', foreignOwner, new Date());
  await mine.sweep();
  expect(existsSync(join(folder, 'scn_one'))).toBe(true);
});

test('a worker in another PID namespace is dead after ten minutes without a heartbeat, as is one that never wrote its identity', async () => {
  const silent = createForeignFolder('silent', foreignOwner, LONG_AGO);
  const unsigned = join(parent, 'unsigned');
  mkdirSync(unsigned);
  utimesSync(unsigned, LONG_AGO, LONG_AGO);
  const starting = join(parent, 'starting');
  mkdirSync(starting);
  await mine.sweep();
  expect([silent, unsigned, starting].map(existsSync)).toEqual([false, false, true]);
});

test('an open folder sends heartbeats, removes folders of dead workers, and is recreated if it was removed', async () => {
  const other = await openWorkFolder({ parent, log, goneAfterMs: 60_000, heartbeatMs: 3_600_000 });
  rmSync(mine.path, { recursive: true, force: true });
  const silent = createForeignFolder('silent', foreignOwner, LONG_AGO);
  await awaitUntil(() => existsSync(join(mine.path, 'owner.json')), { what: 'the folder is back' });
  const both = [mine.path, other.path].map((path) => basename(path)).sort();
  await awaitUntil(() => readdirSync(parent).sort().join() === both.join(), {
    what: 'only the open folders are left',
  });
  expect(existsSync(silent)).toBe(false);
  await other.close();
  expect(existsSync(other.path)).toBe(false);
});
