import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFetched } from '../../src/git/fetch-head.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'secu-fetched-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fetched = (text: string) => writeFileSync(join(folder, 'FETCH_HEAD'), text);

test('the fetched commit is read once', async () => {
  fetched(`${'a'.repeat(40)}\t\thttps://gitlab.example.com/acme/shop\n`);
  expect(await readFetched(folder)).toEqual({ commit: 'a'.repeat(40), tips: [] });
  expect(existsSync(join(folder, 'FETCH_HEAD'))).toBe(false);
});

test.each(['', 'HEAD\n', `${'a'.repeat(39)}\t\thttps://gitlab.example.com/acme/shop\n`])(
  'a fetch without a commit does not count as an empty repository: %j',
  async (text) => {
    fetched(text);
    await expect(readFetched(folder)).rejects.toMatchObject({ code: 'clone_failed' });
  },
);

test('every fetched branch is read, whatever its name', async () => {
  const of = 'of https://gitlab.example.com/acme/shop';
  fetched(
    `${'a'.repeat(40)}\t\thttps://gitlab.example.com/acme/shop\n${'b'.repeat(40)}\tnot-for-merge\tbranch 'it's' of a' ${of}\n`,
  );
  expect((await readFetched(folder)).tips).toEqual([{ name: "it's' of a", commit: 'b'.repeat(40) }]);
});
