import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fleetRecipes } from '../../simulator/index.ts';
import { HARMLESS_FAULTS } from '../../src/git/config.ts';
import type { GitWorld } from './support.ts';
import { createGitWorld } from './support.ts';

const PATH = fleetRecipes(1)[0]?.path ?? '';
const AUTHOR = 'author A <a@example.com> 1312735823 +0000';
const COMMITTER = 'committer A <a@example.com> 1312735823 +0000';

let world: GitWorld;
let path: string;
let original: string;
beforeAll(async () => {
  world = await createGitWorld();
  path = PATH;
  original = (await world.simulator.control.head(path)) ?? '';
  await git(['config', 'receive.fsckObjects', 'false']);
});
afterAll(() => world.close());

function git(args: string[], input?: Buffer): Promise<Buffer> {
  return world.simulator.control.git(path, args, ...(input === undefined ? [] : [[input]]));
}

async function text(args: string[], input?: Buffer): Promise<string> {
  return (await git(args, input)).toString().trim();
}

const write = (type: string, content: Buffer) =>
  text(['hash-object', '-t', type, '-w', '--stdin', '--literally'], content);

async function commitWith(header: string, parent: string | null = null): Promise<string> {
  const tree = await text(['rev-parse', `${original}^{tree}`]);
  return write(
    'commit',
    Buffer.from(`tree ${tree}\n${parent === null ? '' : `parent ${parent}\n`}${header}\n\nodd\n`, 'latin1'),
  );
}

async function cloneOf(commit: string, history: 'none' | 'full' = 'none') {
  await git(['update-ref', 'refs/heads/main', commit]);
  return world.remote().clone({ ...world.repository(path), directory: world.directory(), history });
}

const HARMLESS: ReadonlyArray<readonly [string, string]> = [
  ['no space before the address', `author A<a@example.com> 1312735823 +0000\n${COMMITTER}`],
  ['no space before the date', `author A <a@example.com>1312735823 +0000\n${COMMITTER}`],
  ['no name', `author <a@example.com> 1312735823 +0000\n${COMMITTER}`],
  ['no address', `author A 1312735823 +0000\n${COMMITTER}`],
  ['a broken address', `author A <<a@example.com>> 1312735823 +0000\n${COMMITTER}`],
  ['no author', COMMITTER],
  ['no committer', AUTHOR],
  ['two authors', `${AUTHOR}\n${AUTHOR}\n${COMMITTER}`],
  ['a zone of six digits', `author A <a@b> 1 +051800\n${COMMITTER}`],
  ['a zone of letters', `author A <a@b> 1 CEST\n${COMMITTER}`],
  ['a date with a zero before it', `author A <a@b> 0123 +0000\n${COMMITTER}`],
  ['a date that no number holds', `author A <a@b> 99999999999999999999 +0000\n${COMMITTER}`],
  ['no date', `author A <a@b>\n${COMMITTER}`],
  ['the year 10000', `author A <a@b> 253402300800 +0000\ncommitter A <a@b> 253402300800 +0000`],
  ['a header of another tool', `${AUTHOR}\n${COMMITTER}\nHG:extra rebase_source:abc`],
  ['a NUL in the message', `${AUTHOR}\n${COMMITTER}\n\nwith \0 in it`],
];

describe.each(HARMLESS)('a commit with %s is cloned', (_name, header) => {
  test('as the head', async () => {
    const commit = await commitWith(header);
    expect((await cloneOf(commit)).commit).toBe(commit);
  });

  test('in the history', async () => {
    const head = await commitWith(`${AUTHOR}\n${COMMITTER}`, await commitWith(header));
    expect((await cloneOf(head, 'full')).commit).toBe(head);
  });
});

/** A tree of these entries, which are all blobs. */
async function treeOf(entries: ReadonlyArray<readonly [string, string]>): Promise<string> {
  const blob = Buffer.from(await write('blob', Buffer.from('content\n')), 'hex');
  return write(
    'tree',
    Buffer.concat(entries.flatMap(([mode, name]) => [Buffer.from(`${mode} ${name}\0`), blob])),
  );
}

async function commitOver(tree: string): Promise<string> {
  return write('commit', Buffer.from(`tree ${tree}\n${AUTHOR}\n${COMMITTER}\n\nodd\n`));
}

test.each([
  ['a zero before the mode', [['0100644', 'a.txt']]],
  ['a mode that git does not know', [['100664', 'a.txt']]],
] as const)('a tree with %s is cloned', async (_name, entries) => {
  const commit = await commitOver(await treeOf(entries));
  expect((await cloneOf(commit)).commit).toBe(commit);
});

test.each([
  ['hasDot', [['100644', '.']]],
  ['hasDotdot', [['100644', '..']]],
  ['hasDotgit', [['100644', '.git']]],
  ['fullPathname', [['100644', 'a/b']]],
  [
    'duplicateEntries',
    [
      ['100644', 'a'],
      ['100644', 'a'],
    ],
  ],
  [
    'treeNotSorted',
    [
      ['100644', 'b'],
      ['100644', 'a'],
    ],
  ],
] as const)('a dangerous tree is refused, and its fault is named: %s', async (fault, entries) => {
  expect(HARMLESS_FAULTS).not.toContain(fault);
  await expect(cloneOf(await commitOver(await treeOf(entries)))).rejects.toMatchObject({
    code: 'object_malformed',
    details: { problem: fault },
  });
});

describe('a repository whose HEAD names no branch', () => {
  const clone = async (defaultBranch: string | null, history: 'none' | 'full' = 'none') => {
    await git(['update-ref', 'refs/heads/develop', original]);
    await git(['update-ref', '-d', 'refs/heads/main']);
    await git(['symbolic-ref', 'HEAD', 'refs/heads/main']);
    const repository = { ...world.repository(path), defaultBranch };
    return world.remote().clone({ ...repository, directory: world.directory(), history });
  };

  test.each(['none', 'full'] as const)(
    'is cloned at the branch that GitLab names, history %s',
    async (history) => {
      expect(await clone('develop', history)).toMatchObject({ commit: original, branch: 'develop' });
    },
  );

  test('readHead returns the head of that branch', async () => {
    await clone('develop');
    const repository = { ...world.repository(path), defaultBranch: 'develop' };
    expect(await world.remote().readHead(repository)).toEqual({ commit: original });
  });

  test.each([null, 'main', 'gone', '--upload-pack=x', 'a..b', 'develop:refs/heads/x'])(
    'fails with head_unresolved when GitLab names %s, and is never clean',
    async (name) => {
      await expect(clone(name)).rejects.toMatchObject({ code: 'head_unresolved' });
    },
  );
});

test('a delta that expands beyond the memory limit of git is reported as a clone that is too large', async () => {
  const pack = deltaBomb(660_000_000);
  await git(['unpack-objects', '-q'], packOf([['blob', pack.base]]));
  await git(['index-pack', '--stdin', '--fix-thin'], pack.bytes);
  const entry = (name: string, id: string) => [Buffer.from(`100644 ${name}\0`), Buffer.from(id, 'hex')];
  const tree = await write('tree', Buffer.concat([...entry('a', pack.baseId), ...entry('b', pack.resultId)]));
  await expect(cloneOf(await commitOver(tree))).rejects.toMatchObject({
    code: 'clone_too_large',
    details: { problem: 'memory_limit' },
  });
}, 120_000);

/** A base of 64 KiB, and a delta that copies it until the result has this size. @see gitformat-pack(5) */
function deltaBomb(bytes: number) {
  const base = Buffer.alloc(65_536, 'x');
  const copies = Math.ceil(bytes / base.length);
  const resultBytes = copies * base.length;
  const delta = Buffer.concat([varint(base.length), varint(resultBytes), Buffer.alloc(copies, 0x80)]);
  const hash = createHash('sha1').update(`blob ${resultBytes}\0`);
  for (let copy = 0; copy < copies; copy += 1) hash.update(base);
  const baseId = createHash('sha1').update(`blob ${base.length}\0`).update(base).digest('hex');
  const object = Buffer.concat([objectHead(7, delta.length), Buffer.from(baseId, 'hex'), deflateSync(delta)]);
  return { base, baseId, resultId: hash.digest('hex'), bytes: seal([packedObject(3, base), object]) };
}

function packOf(objects: ReadonlyArray<readonly ['blob', Buffer]>): Buffer {
  return seal(objects.map(([, content]) => packedObject(3, content)));
}

function packedObject(type: number, content: Buffer): Buffer {
  return Buffer.concat([objectHead(type, content.length), deflateSync(content)]);
}

function seal(objects: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(12);
  head.write('PACK');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(objects.length, 8);
  const body = Buffer.concat([head, ...objects]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

function objectHead(type: number, size: number): Buffer {
  const bytes = [];
  let rest = Math.floor(size / 16);
  bytes.push((rest > 0 ? 0x80 : 0) | (type << 4) | (size % 16));
  while (rest > 0) {
    bytes.push((rest > 127 ? 0x80 : 0) | (rest % 128));
    rest = Math.floor(rest / 128);
  }
  return Buffer.from(bytes);
}

function varint(value: number): Buffer {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push(0x80 | (rest % 128));
  return Buffer.from([...bytes, rest]);
}
