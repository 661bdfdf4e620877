import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runGit } from '../../simulator/git/run.ts';
import type { FileContent } from '../../simulator/index.ts';
import { createSnapshot } from '../../src/scanners/snapshot.ts';
import { createSandbox } from '../../src/subprocess/sandbox.ts';
import type { ScanWorld } from './support.ts';
import { createScanWorld } from './support.ts';

let world: ScanWorld;

beforeAll(async () => {
  world = await createScanWorld();
});
afterAll(() => world.close());

/** The tree of the snapshot, the tree of the repository, and the names in the snapshot. */
async function treesOf(files: Record<string, FileContent>) {
  const repository = await world.files(files);
  const folder = await mkdtemp(join(world.folder, 'snapshot-'));
  const { signal } = new AbortController();
  const snapshot = await createSnapshot({
    ...repository,
    folder,
    blobMaxBytes: 1_000,
    sandbox: createSandbox({ folder, view: null }),
    signal,
  });
  await snapshot.git.close();
  const tree = async (gitDirectory: string, name: string) => {
    const args = ['--git-dir', gitDirectory, 'rev-parse', `${name}^{tree}`];
    return (await runGit({ home: world.folder, args })).toString().trim();
  };
  return {
    copy: await tree(snapshot.gitDirectory, snapshot.snapshotCommit),
    original: await tree(repository.gitDirectory, repository.commit),
    names: [...snapshot.files.keys()].sort(),
    skipped: snapshot.skipped.map(({ reason }) => reason),
  };
}

test('a repository whose files are all scanned unchanged is scanned in place, without a new tree', async () => {
  const { copy, original, names } = await treesOf({
    'a.txt': 'a',
    'src/b.txt': 'b',
    '.gitattributes': '* -diff',
  });
  expect(copy).toBe(original);
  expect(names).toEqual(['.gitattributes', 'a.txt', 'src/b.txt']);
});

test.each<[string, Record<string, FileContent>, string[]]>([
  ['what is too large', { 'a.txt': 'a', 'big.txt': 'x'.repeat(2_000) }, ['too_large']],
  ['what is binary by name', { 'a.txt': 'a', 'b.png': 'x' }, ['binary']],
  ['a name that gitleaks cannot read', { 'a.txt': 'a', 'b\\': 'x' }, []],
  ['a text in another encoding', { 'a.txt': 'a', 'b.txt': '\ufeffx' }, []],
])('%s needs a new tree', async (_what, files, reasons) => {
  const { copy, original, names, skipped } = await treesOf(files);
  expect(copy).not.toBe(original);
  expect(names).toContain('a.txt');
  expect(skipped).toEqual(reasons);
});
