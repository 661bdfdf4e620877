import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { runGit } from '../../simulator/git/run.ts';
import type { GitObjects } from '../../src/scanners/git-objects.ts';
import { openGitObjects } from '../../src/scanners/git-objects.ts';
import { programsOf } from './fakes.ts';
import type { BareRepository, ScanWorld } from './support.ts';
import { createScanWorld } from './support.ts';

let world: ScanWorld;
let repository: BareRepository;
let folder: string;
const opened: GitObjects[] = [];

beforeAll(async () => {
  world = await createScanWorld();
  repository = await world.files({ 'a.txt': 'first\n', 'b/c.txt': 'second\n', 'd.txt': 'x'.repeat(300_000) });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((git) => git.stop()));
  expect(programsOf(folder)).toEqual([]);
});
afterAll(() => world.close());

async function open(): Promise<GitObjects> {
  folder = await mkdtemp(join(world.folder, 'objects-'));
  const git = openGitObjects({ ...repository, folder, signal: new AbortController().signal });
  opened.push(git);
  return git;
}

async function read(git: GitObjects, names: readonly string[]): Promise<(string | null)[]> {
  const texts: (string | null)[] = [];
  for await (const content of git.readBlobs(names)) texts.push(content === null ? null : content.toString());
  return texts;
}

/** Writes a commit over the tree of the repository, with exactly these lines. */
async function commit(lines: string, encoding: BufferEncoding = 'utf8'): Promise<string> {
  const git = (args: string[], input?: Buffer) =>
    runGit({
      home: world.folder,
      args: ['--git-dir', repository.gitDirectory, ...args],
      ...(input === undefined ? {} : { input: [input] }),
    });
  const tree = (await git(['rev-parse', `${repository.commit}^{tree}`])).toString().trim();
  const content = Buffer.from(
    `tree ${tree}\n${lines}\n\nText: author nobody <n@example.com> 1 +0000\n`,
    encoding,
  );
  return (await git(['hash-object', '-t', 'commit', '-w', '--stdin', '--literally'], content))
    .toString()
    .trim();
}

test('one process lists the files and returns objects repeatedly, including missing ones', async () => {
  const git = await open();
  const entries = await git.listTree();
  expect(entries.map(({ path, bytes }) => [path.toString(), bytes])).toEqual([
    ['a.txt', 6],
    ['b/c.txt', 7],
    ['d.txt', 300_000],
  ]);
  const started = programsOf(folder).toSorted();
  const [a = '', c = ''] = entries.map(({ objectId }) => objectId);
  expect(await read(git, [a, c, '1'.repeat(40)])).toEqual(['first\n', 'second\n', null]);
  expect(await read(git, [c])).toEqual(['second\n']);
  expect(programsOf(folder).toSorted()).toEqual(started);
  await git.close();
});

test('unread answers are not taken for those of the next request', async () => {
  const git = await open();
  const [a = '', c = '', d = ''] = (await git.listTree()).map(({ objectId }) => objectId);
  for await (const content of git.readBlobs([a, d, d, c])) {
    expect(content?.toString()).toBe('first\n');
    break;
  }
  expect(await read(git, [c, a])).toEqual(['second\n', 'first\n']);
});

test.each<[string, string, BufferEncoding, string | null, string | null]>([
  [
    'as git writes it',
    'author Ann Other <a@b> 5 +0100\ncommitter B <b@c> 1700000000 -0800',
    'utf8',
    'Ann Other',
    '2023-11-14T22:13:20.000Z',
  ],
  [
    'in another encoding, which it names',
    'author J\u00f6rg <a@b> 5 +0000\ncommitter B <b@c> 1 +0000\nencoding ISO-8859-1',
    'latin1',
    'J\u00f6rg',
    '1970-01-01T00:00:01.000Z',
  ],
  [
    'in an unknown encoding',
    'author Ann <a@b> 5 +0000\ncommitter B <b@c> 1 +0000\nencoding x-none',
    'utf8',
    'Ann',
    '1970-01-01T00:00:01.000Z',
  ],
  [
    'by an author without a name',
    'author <a@b> 5 +0000\ncommitter B <b@c> 1 +0000',
    'utf8',
    null,
    '1970-01-01T00:00:01.000Z',
  ],
  [
    'with an impossible date',
    'author A <a@b> 5 +0000\ncommitter B <b@c> 99999999999999999 +0000',
    'utf8',
    'A',
    null,
  ],
])('a commit %s has its author and date', async (_what, lines, encoding, author, committedAt) => {
  const id = await commit(lines, encoding);
  const git = await open();
  await git.listTree();
  expect((await git.commitFacts([id])).get(id)).toEqual({ author, committedAt });
});
