import { basename } from 'node:path';
import { isBinaryName } from '../file-kinds.ts';
import type { ScannerInput } from '../scanner.ts';
import { fastImport } from '../snapshot.ts';
import { commitHead, createNames, inlineFile, STREAM_END } from '../snapshot-stream.ts';
import type { SourceEncoding } from '../text-encoding.ts';
import { decodeSource, isUnsupportedText, sourceEncodingOf } from '../text-encoding.ts';
import type { FileVersion, History } from './history.ts';

/** A version of a file whose text had to be decoded. */
export interface DecodedVersion extends FileVersion {
  encoding: SourceEncoding;
}

export interface DecodedHistory {
  /** The commit that holds the decoded texts; null if no text had to be decoded. */
  snapshotCommit: string | null;
  /** By file name in that commit. */
  files: ReadonlyMap<string, DecodedVersion>;
  bytes: number;
  /** Paths with a version that could not be decoded in full. */
  undecodable: string[];
}

/**
 * Decodes past texts that gitleaks could not read in `git log`, and adds them to the clone as one more commit.
 * Texts at the head were decoded for the snapshot.
 */
export async function decodeHistory(input: {
  scan: Pick<ScannerInput, 'snapshot' | 'folder'>;
  history: History;
  blobMaxBytes: number;
}): Promise<DecodedHistory> {
  const { scan, history, blobMaxBytes } = input;
  const { git, gitDirectory, files: atHead } = scan.snapshot;
  const known = new Set([...atHead.values()].map(({ objectId, path }) => keyOf({ objectId, path })));
  const byObject = new Map<string, Map<string, FileVersion>>();
  for (const version of history.versions) {
    const { objectId, path } = version;
    const bytes = history.sizes.get(objectId) ?? 0;
    if (bytes === 0 || bytes > blobMaxBytes || isBinaryName(path) || known.has(keyOf(version))) continue;
    const paths = byObject.get(objectId) ?? new Map<string, FileVersion>();
    if (!paths.has(path)) paths.set(path, version); // newest first
    byObject.set(objectId, paths);
  }
  const files = new Map<string, DecodedVersion>();
  const result = { bytes: 0, undecodable: new Set<string>() };
  const decoded = decodedFiles({ scan, byObject, files, result });
  const ref = `refs/secu/${basename(scan.folder)}-history`;
  const first = await decoded.next();
  if (first.done === true)
    return { snapshotCommit: null, files, bytes: 0, undecodable: [...result.undecodable] };
  async function* stream() {
    yield commitHead(ref);
    if (first.done !== true) yield first.value;
    yield* decoded;
    yield STREAM_END;
  }
  const snapshotCommit = await fastImport({ git, gitDirectory, ref, stream: stream() });
  return { snapshotCommit, files, bytes: result.bytes, undecodable: [...result.undecodable] };
}

async function* decodedFiles(input: {
  scan: Pick<ScannerInput, 'snapshot'>;
  byObject: ReadonlyMap<string, ReadonlyMap<string, FileVersion>>;
  files: Map<string, DecodedVersion>;
  result: { bytes: number; undecodable: Set<string> };
}): AsyncGenerator<Buffer> {
  const { scan, byObject, files, result } = input;
  const names = createNames();
  const objectIds = [...byObject.keys()];
  let index = 0;
  for await (const content of scan.snapshot.git.readBlobs(objectIds)) {
    const versions = [...(byObject.get(objectIds[index] ?? '')?.values() ?? [])];
    index += 1;
    if (content === null) continue;
    const encoding = sourceEncodingOf(content);
    if (encoding === null) {
      if (isUnsupportedText(content)) for (const { path } of versions) result.undecodable.add(path);
      continue;
    }
    const { text, isComplete } = decodeSource(content, encoding);
    for (const version of versions) {
      if (!isComplete) result.undecodable.add(version.path);
      const name = names.apart(version.path);
      files.set(name, { ...version, encoding });
      result.bytes += text.length;
      yield inlineFile({ name, text });
    }
  }
}

function keyOf({ objectId, path }: { objectId: string; path: string }): string {
  return `${objectId} ${path}`;
}
