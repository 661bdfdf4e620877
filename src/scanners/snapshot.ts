import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { SkippedFiles, SkipReason } from '../domain/scan.ts';
import { isSystemError } from '../domain/system-error.ts';
import { writeTextAttributes } from '../subprocess/bare-repository.ts';
import type { Sandbox } from '../subprocess/sandbox.ts';
import { isBinaryName } from './file-kinds.ts';
import type { GitObjects, TreeEntry } from './git-objects.ts';
import { openGitObjects } from './git-objects.ts';
import type { Candidate, Progress } from './snapshot-stream.ts';
import { importStream } from './snapshot-stream.ts';
import type { SourceEncoding } from './text-encoding.ts';

export const MAX_PATH_BYTES = 4_096;
const LINK = '120000';
const SUBMODULE = '160000';
export const SHA256_HEX_LENGTH = 64;

export interface SnapshotFile {
  /** Its index among the entries of the commit. */
  entry: number;
  /** For display; bytes that are not UTF-8 become U+FFFD. */
  path: string;
  objectId: string;
  /** Its original encoding; `null` if the bytes are unchanged. */
  encoding: SourceEncoding | null;
}

/** An entry of the commit that scanners do not read, or cannot read in full. */
export interface SkippedFile {
  entry: number;
  path: string;
  reason: SkipReason;
}

/**
 * A commit, added to a clone, with exactly the files to scan; it leaves out large and binary files and entries
 * without content. Text in another encoding is decoded; if the encoding was guessed, the original is included too.
 * Attributes, names and the configuration of the clone are ours, so nothing in the repository can make a tool skip
 * files.
 */
export interface Snapshot {
  /** The clone, as an absolute path. */
  gitDirectory: string;
  /** The commit of the repository that the snapshot copies. */
  commit: string;
  /** The commit that was added. */
  snapshotCommit: string;
  /** The caller of `createSnapshot` closes it. */
  git: GitObjects;
  /** Number of entries of the commit: files, links and submodules. Each is in `files` or in `skipped`. */
  entryCount: number;
  /** By the file's name in the snapshot. */
  files: ReadonlyMap<string, SnapshotFile>;
  /** Size of all files of the snapshot together. */
  bytes: number;
  skipped: readonly SkippedFile[];
}

/** Number of skipped files for each reason. */
export function countSkips(skipped: readonly Pick<SkippedFile, 'reason'>[]): SkippedFiles[] {
  return [...Map.groupBy(skipped, ({ reason }) => reason)].map(([reason, files]) => ({
    reason,
    count: files.length,
  }));
}

/**
 * Adds objects to the clone, and a ref if the snapshot needs its own tree.
 * @throws SecuError `scanner_crashed` if an object is broken or missing; `too_many_files` | `object_malformed`;
 * the reason of the signal
 */
export async function createSnapshot(input: {
  gitDirectory: string;
  commit: string;
  /** An empty folder for this snapshot only. */
  folder: string;
  blobMaxBytes: number;
  sandbox: Sandbox;
  signal: AbortSignal;
}): Promise<Snapshot> {
  const { commit, folder, sandbox, signal } = input;
  const gitDirectory = resolve(input.gitDirectory);
  await writeTextAttributes(gitDirectory);
  const fence = await sandbox.fenceFor({ network: false, writable: [gitDirectory, folder] });
  const git = openGitObjects({ gitDirectory, commit, folder, fence, signal });
  try {
    return { gitDirectory, commit, git, ...(await fillSnapshot({ ...input, gitDirectory, git })) };
  } catch (err) {
    await git.stop();
    throw err;
  }
}

async function fillSnapshot(input: {
  git: GitObjects;
  gitDirectory: string;
  commit: string;
  folder: string;
  blobMaxBytes: number;
}): Promise<Omit<Snapshot, 'gitDirectory' | 'commit' | 'git'>> {
  const { git, gitDirectory, commit, blobMaxBytes } = input;
  const skipped: SkippedFile[] = [];
  const skip = ({ index, path }: Candidate, reason: SkipReason) =>
    skipped.push({ entry: index, path: path.toString('utf8'), reason });
  const candidates: Candidate[] = [];
  const entries = await git.listTree();
  for (const [index, entry] of entries.entries()) {
    const candidate = { ...entry, index };
    const reason = reasonToSkip(entry, blobMaxBytes);
    if (reason === null) candidates.push(candidate);
    else skip(candidate, reason);
  }
  const files = new Map<string, SnapshotFile>();
  const progress: Progress = { bytes: 0, tree: '', keepsTree: skipped.length === 0 };
  const ref = `refs/secu/${basename(input.folder)}`;
  const stream = importStream({ git, commit, ref, candidates, files, progress, skip });
  const snapshotCommit = await writeCommit({ gitDirectory, git, ref, progress, stream });
  return { snapshotCommit, entryCount: entries.length, files, bytes: progress.bytes, skipped };
}

function reasonToSkip(entry: TreeEntry, blobMaxBytes: number): SkipReason | null {
  if (entry.mode === SUBMODULE || entry.type !== 'blob') return 'submodule';
  if (entry.mode === LINK) return 'link';
  if (entry.path.length > MAX_PATH_BYTES) return 'path_too_long';
  if (isBinaryName(entry.path.toString('utf8'))) return 'binary';
  return (entry.bytes ?? 0) > blobMaxBytes ? 'too_large' : null;
}

/**
 * Creates the snapshot commit. If every file is scanned unchanged, as in most repositories, it uses the
 * repository's own tree, which needs no process. Otherwise `git fast-import` builds a new tree.
 */
async function writeCommit(input: {
  gitDirectory: string;
  git: GitObjects;
  ref: string;
  progress: Progress;
  stream: AsyncGenerator<Buffer>;
}): Promise<string> {
  const { gitDirectory, git, ref, progress, stream } = input;
  const held: Buffer[] = [];
  for (let next = await stream.next(); next.done !== true; next = await stream.next()) {
    held.push(next.value);
    if (!progress.keepsTree) break;
  }
  if (progress.keepsTree) return commitTree({ gitDirectory, tree: progress.tree });
  async function* all() {
    yield* held;
    yield* stream;
  }
  return fastImport({ git, gitDirectory, ref, stream: all() });
}

/** Runs `git fast-import`. @returns the commit that the ref names afterwards */
export async function fastImport(input: {
  git: GitObjects;
  gitDirectory: string;
  ref: string;
  stream: AsyncIterable<Buffer>;
}): Promise<string> {
  const { git, gitDirectory, ref, stream } = input;
  await git.run(['fast-import', '--quiet', '--done', '--date-format=raw'], stream);
  return (await readFile(join(gitDirectory, ref), 'utf8')).trim();
}

/** Writes a loose object, as git does. @see gitformat-loose(5) */
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

/** An existing object of that name has the same content: an earlier scan wrote it. */
function ignoreExisting(err: unknown): void {
  if (!isSystemError(err, 'EEXIST')) throw err;
}
