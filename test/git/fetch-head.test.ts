import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFetchedCommit } from '../../src/git/fetch-head.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'secu-fetched-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fetched = (text: string) => writeFileSync(join(folder, 'FETCH_HEAD'), text);

test('the fetched commit is read once', async () => {
  fetched(`${'a'.repeat(40)}\t\thttps://gitlab.example.com/acme/shop\n`);
  expect(await readFetchedCommit(folder)).toBe('a'.repeat(40));
  expect(existsSync(join(folder, 'FETCH_HEAD'))).toBe(false);
});

test.each(['', 'HEAD\n', `${'a'.repeat(39)}\t\thttps://gitlab.example.com/acme/shop\n`])(
  'a fetch that names no commit is no empty repository: %j',
  async (text) => {
    fetched(text);
    await expect(readFetchedCommit(folder)).rejects.toMatchObject({ code: 'clone_failed' });
  },
);
