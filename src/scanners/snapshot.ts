import { isUtf8 } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { deflateSync } from 'node:zlib';
import { SecuError } from '../domain/errors.ts';
import type { SkippedFiles, SkipReason } from '../domain/scan.ts';
import { isSystemError } from '../domain/system-error.ts';
import { writeTextAttributes } from '../subprocess/bare-repository.ts';
import { isBinaryName, isLfsPointer } from './file-kinds.ts';
import type { GitObjects, TreeEntry } from './git-objects.ts';
import { openGitObjects } from './git-objects.ts';
import type { WideEncoding } from './text-encoding.ts';
import { decodeWide, wideEncodingOf } from './text-encoding.ts';

const MAX_PATH_BYTES = 4_096;
const LINK = '120000';
const SUBMODULE = '160000';
export const SHA256_HEX_LENGTH = 64;

export interface SnapshotFile {
  /** Shown to people; bytes that are no UTF-8 are U+FFFD. */
  path: string;
  objectId: string;
  /** What it was decoded from; `null` for the bytes as they are. */
  encoding: WideEncoding | null;
}

/** A file of the repository that is not in the snapshot. */
export interface SkippedFile {
  path: string;
  reason: SkipReason;
}

/**
 * One more commit in a clone, which holds exactly the files to be read, without what is too large, binary or no file. A
 * text in UTF-16 is there twice, as it is and decoded: what only looks like UTF-16 hides nothing. Attributes and names in
 * it are ours, and so is the configuration of a clone: nothing in the repository tells a tool what to leave out.
 */
export interface Snapshot {
  /** The clone, by an absolute path. */
  gitDirectory: string;
  /** The commit of the repository, of which this is the snapshotCommit. */
  commit: string;
  /** The commit that was added. */
  snapshotCommit: string;
  /** To be closed by whoever took the snapshot. */
  git: GitObjects;
  /** By the name that the file has in the snapshot. */
  files: ReadonlyMap<string, SnapshotFile>;
  /** Files of the repository that are in it. */
  fileCount: number;
  /** Of all files together. */
  bytes: number;
  skipped: readonly SkippedFile[];
}

/** How many files were skipped for each reason. */
export function countSkips(skipped: readonly SkippedFile[]): SkippedFiles[] {
  return [...Map.groupBy(skipped, ({ reason }) => reason)].map(([reason, files]) => ({
    reason,
    count: files.length,
  }));
}

/**
 * Adds to the clone: objects, and a ref of its own where a tree had to be made.
 * @throws SecuError `scanner_crashed` when an object is broken or missing; the signal's reason
 */
export async function takeSnapshot(input: {
  gitDirectory: string;
  commit: string;
  /** An empty folder of its own. */
  folder: string;
  blobMaxBytes: number;
  signal: AbortSignal;
}): Promise<Snapshot> {
  const { commit, folder, signal } = input;
  const gitDirectory = resolve(input.gitDirectory);
  await writeTextAttributes(gitDirectory);
  const git = openGitObjects({ gitDirectory, commit, folder, signal });
  try {
    return { gitDirectory, commit, git, ...(await fill({ ...input, gitDirectory, git })) };
  } catch (err) {
    await git.stop();
    throw err;
  }
}

async function fill(input: {
  git: GitObjects;
  gitDirectory: string;
  commit: string;
  folder: string;
  blobMaxBytes: number;
}): Promise<Omit<Snapshot, 'gitDirectory' | 'commit' | 'git'>> {
  const { git, gitDirectory, commit, blobMaxBytes } = input;
  const skipped: SkippedFile[] = [];
  const skip = (entry: TreeEntry, reason: SkipReason) =>
    skipped.push({ path: entry.path.toString('utf8'), reason });
  const candidates: TreeEntry[] = [];
  for (const entry of await git.listTree()) {
    const reason = reasonToSkip(entry, blobMaxBytes);
    if (reason === null) candidates.push(entry);
    else skip(entry, reason);
  }
  const files = new Map<string, SnapshotFile>();
  const seen = { bytes: 0, tree: '', isWhole: skipped.length === 0 };
  const ref = `refs/secu/${basename(input.folder)}`;
  const stream = importStream({ git, commit, ref, candidates, files, seen, skip });
  const snapshotCommit = await commitOf({ gitDirectory, git, ref, seen, stream });
  const fileCount = [...files.values()].filter(({ encoding }) => encoding === null).length;
  return { snapshotCommit, files, fileCount, bytes: seen.bytes, skipped };
}

function reasonToSkip(entry: TreeEntry, blobMaxBytes: number): SkipReason | null {
  if (entry.mode === SUBMODULE || entry.type !== 'blob') return 'submodule';
  if (entry.mode === LINK) return 'link';
  if (entry.path.length > MAX_PATH_BYTES) return 'path_too_long';
  if (isBinaryName(entry.path.toString('utf8'))) return 'binary';
  return (entry.bytes ?? 0) > blobMaxBytes ? 'too_large' : null;
}

/** What reading the files tells. */
interface Seen {
  bytes: number;
  /** The tree of the repository's own commit. */
  tree: string;
  /** Every file goes in under its own name, as it is: then that tree is the snapshotCommit already. */
  isWhole: boolean;
}

/**
 * The one commit: over the repository's own tree where that is the snapshotCommit, which costs no process and is so for most;
 * else over a new one, file by file.
 */
async function commitOf(input: {
  gitDirectory: string;
  git: GitObjects;
  ref: string;
  seen: Seen;
  stream: AsyncGenerator<Buffer>;
}): Promise<string> {
  const { gitDirectory, git, ref, seen, stream } = input;
  const held: Buffer[] = [];
  for (let next = await stream.next(); next.done !== true; next = await stream.next()) {
    held.push(next.value);
    if (!seen.isWhole) break;
  }
  if (seen.isWhole) return commitTree({ gitDirectory, tree: seen.tree });
  async function* all() {
    yield* held;
    yield* stream;
  }
  await git.run(['fast-import', '--quiet', '--done', '--date-format=raw'], all());
  return (await readFile(join(gitDirectory, ref), 'utf8')).trim();
}

/** A loose object, as git writes them. @see gitformat-loose(5) */
async function commitTree({ gitDirectory, tree }: { gitDirectory: string; tree: string }): Promise<string> {
  const text = `tree ${tree}\nauthor secu <secu> 0 +0000\ncommitter secu <secu> 0 +0000\n\n`;
  const object = Buffer.from(`commit ${text.length}\0${text}`);
  const algorithm = tree.length === SHA256_HEX_LENGTH ? 'sha256' : 'sha1';
  const id = createHash(algorithm).update(object).digest('hex');
  const folder = join(gitDirectory, 'objects', id.slice(0, 2));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, id.slice(2)), deflateSync(object), { flag: 'wx' }).catch(ignoreExisting);
  return id;
}

/** The one commit, file by file, as `git fast-import` reads it. @see git-fast-import(1) */
async function* importStream(input: {
  git: GitObjects;
  commit: string;
  ref: string;
  candidates: readonly TreeEntry[];
  files: Map<string, SnapshotFile>;
  seen: Seen;
  skip: (entry: TreeEntry, reason: SkipReason) => void;
}): AsyncGenerator<Buffer> {
  const { git, commit, ref, candidates, files, seen, skip } = input;
  const names = createNames();
  yield Buffer.from(`commit ${ref}\ncommitter secu <secu> 0 +0000\ndata 0\n`);
  let index = -1; // the commit itself comes first
  for await (const content of git.readBlobs([commit, ...candidates.map(({ objectId }) => objectId)])) {
    const entry = candidates[index];
    index += 1;
    if (content === null) throw missing();
    if (index === 0) seen.tree = treeOf(content);
    if (entry === undefined) continue;
    if (isLfsPointer(content)) {
      seen.isWhole = false;
      skip(entry, 'lfs_pointer');
      continue;
    }
    const { objectId } = entry;
    const { path, name } = names.of(entry.path);
    files.set(name, { path, objectId, encoding: null });
    seen.bytes += content.length;
    const encoding = wideEncodingOf(content);
    if (encoding !== null || !entry.path.equals(Buffer.from(name))) seen.isWhole = false;
    yield Buffer.from(`M 100644 ${objectId} ${quoted(name)}\n`);
    if (encoding === null) continue;
    const decoded = decodeWide(content, encoding);
    const decodedName = names.apart(path);
    files.set(decodedName, { path, objectId, encoding });
    seen.bytes += decoded.length;
    yield Buffer.concat([
      Buffer.from(`M 100644 inline ${quoted(decodedName)}\ndata ${decoded.length}\n`),
      decoded,
      Buffer.from('\n'),
    ]);
  }
  if (index < candidates.length) throw missing();
  yield Buffer.from('\ndone\n');
}

function treeOf(commit: Buffer): string {
  const tree = /^tree ([0-9a-f]{40,64})\n/.exec(commit.toString('latin1', 0, 80))?.[1];
  if (tree === undefined) throw missing();
  return tree;
}

/** A file that gitleaks' default rules take for its own configuration, and pass over, wherever it lies. */
const PASSED_OVER = /gitleaks\.toml/g;

/** Names that a scanner could stumble over, or pass over, are replaced below a folder that nobody can foresee. */
function createNames() {
  const folder = randomBytes(8).toString('hex');
  let count = 0;
  const apart = (path: string) => {
    count += 1;
    // gitleaks cannot read git's quoting of a name that ends in a backslash, and passes the file over.
    return `${folder}-${count}/${path.replace(PASSED_OVER, 'gitleaks-toml').replace(/\\+$/, '_')}`;
  };
  return {
    apart,
    of(bytes: Buffer): { path: string; name: string } {
      const path = bytes.toString('utf8');
      const isPlain = isUtf8(bytes) && path.search(PASSED_OVER) === -1 && !path.endsWith('\\');
      return { path, name: isPlain ? path : apart(path) };
    },
  };
}

/** C-style, as `git fast-import` wants names that have anything special. */
function quoted(name: string): string {
  return `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

function missing(): SecuError {
  return new SecuError('scanner_crashed', 'an object of the repository is missing', {
    details: { problem: 'object_missing' },
  });
}

/** An object of that name is that object: the same was looked at before. */
function ignoreExisting(err: unknown): void {
  if (!isSystemError(err, 'EEXIST')) throw err;
}
