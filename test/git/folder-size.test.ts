import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { folderBytes, watchFolder } from '../../src/git/folder-size.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secu-folder-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('counts all files below a folder; a missing folder is empty', async () => {
  await mkdir(join(folder, 'objects/pack'), { recursive: true });
  await writeFile(join(folder, 'HEAD'), 'x'.repeat(20));
  await writeFile(join(folder, 'objects/pack/one'), 'x'.repeat(300));
  expect(await folderBytes(folder)).toBe(320);
  expect(await folderBytes(join(folder, 'absent'))).toBe(0);
});

test('notices many small files that exceed the limit together', async () => {
  const ended = new AbortController();
  const exceeded = new Promise<void>((resolve) => {
    void watchFolder({ folder, maxBytes: 100, onExceeded: resolve, signal: ended.signal });
  });
  for (const name of ['a', 'b', 'c']) await writeFile(join(folder, name), 'x'.repeat(40));
  await exceeded;
  ended.abort();
});

test('a folder below the limit is watched until the end', async () => {
  const ended = new AbortController();
  let times = 0;
  const onExceeded = () => (times += 1);
  const watched = watchFolder({ folder, maxBytes: 100, onExceeded, signal: ended.signal });
  ended.abort();
  await watched;
  expect(times).toBe(0);
});
