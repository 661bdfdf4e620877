import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { SecuError } from '../domain/errors.ts';
import type { SkipReason } from '../domain/scan.ts';
import { isLfsPointer } from './file-kinds.ts';
import type { GitObjects, TreeEntry } from './git-objects.ts';
import type { SnapshotFile } from './snapshot.ts';
import { decodeSource, isUnsupportedText, replacesOriginal, sourceEncodingOf } from './text-encoding.ts';

export interface Candidate extends TreeEntry {
  /** Its index among all entries of the commit. */
  index: number;
}

/** What is known after the files so far. */
export interface Progress {
  bytes: number;
  /** The tree of the repository's own commit. */
  tree: string;
  /**
   * Whether every file so far is scanned unchanged and under its own name; then the repository's tree can be used.
   */
  keepsTree: boolean;
}

interface StreamInput {
  git: GitObjects;
  commit: string;
  ref: string;
  candidates: readonly Candidate[];
  files: Map<string, SnapshotFile>;
  progress: Progress;
  skip: (file: Candidate, reason: SkipReason) => void;
}

/** The snapshot commit, file by file, in the input format of `git fast-import`. @see git-fast-import(1) */
export async function* importStream(input: StreamInput): AsyncGenerator<Buffer> {
  const { git, commit, ref, candidates, progress, skip } = input;
  const names = createNames();
  yield commitHead(ref);
  let index = -1; // the commit itself comes first
  for await (const content of git.readBlobs([commit, ...candidates.map(({ objectId }) => objectId)])) {
    const file = candidates[index];
    index += 1;
    if (content === null) throw missing();
    if (index === 0) progress.tree = treeOf(content);
    if (file === undefined) continue;
    if (isLfsPointer(content)) {
      progress.keepsTree = false;
      skip(file, 'lfs_pointer');
      continue;
    }
    yield* addFile({ ...input, names, file, content });
  }
  if (index < candidates.length) throw missing();
  yield STREAM_END;
}

/** The original, the decoded copy, or both; see `replacesOriginal`. */
function* addFile(
  input: StreamInput & { names: Names; file: Candidate; content: Buffer },
): Generator<Buffer> {
  const { files, progress, names, file, content, skip } = input;
  const { objectId, index: entry } = file;
  const path = file.path.toString('utf8');
  const encoding = sourceEncodingOf(content);
  if (encoding === null || !replacesOriginal({ content, encoding })) {
    const name = names.of(file.path, files);
    files.set(name, { entry, path, objectId, encoding: null });
    progress.bytes += content.length;
    if (!file.path.equals(Buffer.from(name))) progress.keepsTree = false;
    yield Buffer.from(`M 100644 ${objectId} ${quoted(name)}\n`);
  }
  if (encoding === null) {
    if (isUnsupportedText(content)) skip(file, 'undecodable');
    return;
  }
  const { text, isComplete } = decodeSource(content, encoding);
  if (!isComplete) skip(file, 'undecodable');
  const name = names.apart(path);
  files.set(name, { entry, path, objectId, encoding });
  progress.bytes += text.length;
  progress.keepsTree = false;
  yield inlineFile({ name, text });
}

export const STREAM_END = Buffer.from('\ndone\n');

/** Starts the only commit of a stream. */
export function commitHead(ref: string): Buffer {
  return Buffer.from(`commit ${ref}\ncommitter secu <secu> 0 +0000\ndata 0\n`);
}

/** Adds a file with this content to the commit of a stream. */
export function inlineFile({ name, text }: { name: string; text: Buffer }): Buffer {
  const head = Buffer.from(`M 100644 inline ${quoted(name)}\ndata ${text.length}\n`);
  return Buffer.concat([head, text, Buffer.from('\n')]);
}

function treeOf(commit: Buffer): string {
  const tree = /^tree ([0-9a-f]{40,64})\n/.exec(commit.toString('latin1', 0, 80))?.[1];
  if (tree === undefined) throw missing();
  return tree;
}

type Names = ReturnType<typeof createNames>;

/** Replaces names that a scanner cannot read by names below a folder with an unpredictable name. */
export function createNames() {
  const folder = randomBytes(8).toString('hex');
  let count = 0;
  const apart = (path: string) => {
    count += 1;
    // gitleaks cannot read how git quotes a name that ends in a backslash
    return `${folder}-${count}/${path.replace(/\\+$/, '_')}`;
  };
  return {
    apart,
    of(bytes: Buffer, taken: ReadonlyMap<string, unknown>): string {
      const path = bytes.toString('utf8');
      const isPlain = isUtf8(bytes) && !path.endsWith('\\') && !taken.has(path);
      return isPlain ? path : apart(path);
    },
  };
}

/** Quoted in C style, which `git fast-import` requires for names with special characters. */
function quoted(name: string): string {
  return `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

function missing(): SecuError {
  return new SecuError('scanner_crashed', 'an object of the repository is missing', {
    details: { problem: 'object_missing' },
  });
}
