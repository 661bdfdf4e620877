import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { newId } from '../../src/db/new-id.ts';
import type { RotationEntry } from '../../src/domain/ports.ts';
import { expiryFrom } from '../../src/domain/token-expiry.ts';
import { openRotationFolder } from '../../src/folder-lease/rotation-folder.ts';

let parent: string;

beforeEach(() => {
  parent = join(mkdtempSync(join(tmpdir(), 'secu-rotation-')), 'rotation');
});
afterEach(() => {
  rmSync(join(parent, '..'), { recursive: true, force: true });
});

const entryOf = (attemptId: string): RotationEntry => ({
  attemptId,
  sealed: { keyId: 'k1', record: Buffer.from('sealed bytes') },
  newTokenId: 58,
  expiry: expiryFrom('2027-01-31'),
  createdAt: '2026-06-01T12:00:00Z',
});

/** The folder of a worker of another container. */
function leave(signAt: Date, entries: readonly string[]): string {
  const workerId = newId('worker');
  const folder = join(parent, workerId);
  mkdirSync(folder, { recursive: true });
  for (const id of entries) writeFileSync(join(folder, `${id}.entry`), 'foreign');
  writeFileSync(
    join(folder, 'owner.json'),
    JSON.stringify({ place: 'another container', pid: 1, start: '1' }),
  );
  utimesSync(join(folder, 'owner.json'), signAt, signAt);
  return workerId;
}

const LONG_AGO = new Date(Date.now() - 6 * 60_000);

test('an entry is read unchanged, also by the next process, and its file is private', async () => {
  const journal = await openRotationFolder({ parent });
  const entry = entryOf(newId('rotation'));
  await journal.assertWritable();
  await journal.write(entry);
  expect(await journal.read(entry.attemptId)).toEqual(entry);
  expect(await journal.attemptIds()).toEqual([entry.attemptId]);
  expect(readdirSync(join(parent, journal.workerId)).toSorted()).toEqual([
    'owner.json',
    `${entry.attemptId}.entry`,
  ]);
  await journal.remove(entry.attemptId);
  await journal.remove(entry.attemptId);
  expect(await journal.read(entry.attemptId)).toBeNull();
});

test('a partial entry is ignored', async () => {
  const journal = await openRotationFolder({ parent });
  writeFileSync(join(parent, journal.workerId, 'rot_x.entry'), '{"attemptId":');
  expect(await journal.read('rot_x')).toBeNull();
});

test('two workers have separate names and folders, and do not touch each other while both are alive', async () => {
  const [one, two] = [await openRotationFolder({ parent }), await openRotationFolder({ parent })];
  expect(one.workerId).not.toBe(two.workerId);
  await two.write(entryOf('rot_two'));
  const taken: string[] = [];
  await one.renewLease(async (workerId) => void taken.push(workerId));
  expect(taken).toEqual([]);
  expect(await two.attemptIds()).toEqual(['rot_two']);
});

test('entries of a dead worker are taken over before the callback, and then its folder is removed', async () => {
  const gone = leave(LONG_AGO, ['rot_left']);
  const lives = leave(new Date(), ['rot_his']);
  const journal = await openRotationFolder({ parent });
  const taken: [string, string[]][] = [];
  await journal.renewLease(async (workerId) => void taken.push([workerId, await journal.attemptIds()]));
  expect(taken).toEqual([[gone, ['rot_left']]]);
  expect(readdirSync(parent).toSorted()).toEqual([journal.workerId, lives].toSorted());
  expect(readFileSync(join(parent, journal.workerId, 'rot_left.entry'), 'utf8')).toBe('foreign');
});

test('a dead worker is found again if the callback fails', async () => {
  const gone = leave(LONG_AGO, ['rot_left']);
  const journal = await openRotationFolder({ parent });
  await expect(journal.renewLease(() => Promise.reject(new Error('no database')))).rejects.toThrow(
    'no database',
  );
  const taken: string[] = [];
  await journal.renewLease(async (workerId) => void taken.push(workerId));
  expect(taken).toEqual([gone]);
  expect(await journal.attemptIds()).toEqual(['rot_left']);
});
