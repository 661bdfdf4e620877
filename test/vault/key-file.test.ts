import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ensureKeyFile } from '../../src/vault/key-file.ts';
import { newKeyLine, parseKeyRing } from '../../src/vault/key-ring.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secu-keys-'));
  path = join(folder, 'keys', 'ring');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('creates a key file once, and only its owner can read it', async () => {
  const text = await ensureKeyFile({ path, sealedDataExists: false });
  expect(parseKeyRing(text).keyIds).toHaveLength(1);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'keys'))).mode & 0o777).toBe(0o700);
  expect(await ensureKeyFile({ path, sealedDataExists: true })).toBe(text);
  expect(await readFile(path, 'utf8')).toBe(text);
});

test('refuses to create a new key if sealed data exists, and leaves no file', async () => {
  await expect(ensureKeyFile({ path, sealedDataExists: true })).rejects.toMatchObject({
    code: 'key_unknown',
  });
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('many concurrent starts get the same key', async () => {
  const texts = await Promise.all(
    Array.from({ length: 8 }, () => ensureKeyFile({ path, sealedDataExists: false })),
  );
  expect(new Set(texts).size).toBe(1);
  expect(await readdir(join(folder, 'keys'))).toEqual(['ring']);
});

test('removes the access of group and others to a key file', async () => {
  path = join(folder, 'ring');
  await writeFile(path, newKeyLine());
  await chmod(path, 0o644);
  await ensureKeyFile({ path, sealedDataExists: true });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});
