import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { SecuError } from '../domain/errors.ts';
import { admit } from '../domain/foreign-values.ts';
import { isSystemError } from '../domain/system-error.ts';
import { GIT_LOCAL_LIMITS } from '../subprocess/limits.ts';
import { localGitEnvironment } from '../subprocess/local-git.ts';
import type { Fence, ProcessResult } from '../subprocess/process.ts';
import { NO_FENCE, runProcess, startProcess } from '../subprocess/process.ts';

const READ_COMMIT = fileURLToPath(new URL('read-commit.sh', import.meta.url));

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
/** Per commit; counts every path that leads to a file. */
export const MAX_TREE_ENTRIES = 500_000;
export const MAX_TREE_PATH_BYTES = 64 * 1024 * 1024;
/** Per tree entry, which is mostly its path. */
export const MAX_ENTRY_BYTES = 64 * 1024;
const MAX_ANSWER_BYTES = 16 * 1024;
/** Per commit; anything longer is its message. */
export const MAX_COMMIT_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

export interface TreeEntry {
  mode: string;
  type: 'blob' | 'commit' | 'tree';
  objectId: string;
  /** `null` if it is not a blob. */
  bytes: number | null;
  /** As stored in git: any bytes but NUL. */
  path: Buffer;
}

export interface CommitFacts {
  author: string | null;
  /** ISO 8601 */
  committedAt: string | null;
}

/**
 * Reads one repository through git. One process lists the files of a commit and then returns objects until it is
 * closed. Every error of git is `scanner_crashed`: a broken repository never counts as clean.
 */
export interface GitObjects {
  /** Runs a separate process. */
  run(args: readonly string[], input?: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Buffer>;
  /**
   * Lists every file of the commit, in git's order. Call it once, before any other method.
   * @throws SecuError `too_many_files` | `object_malformed` as soon as a limit is reached
   */
  listTree(): Promise<TreeEntry[]>;
  /** The content of each object, in the order of `names`; `null` for a missing one. One call at a time. */
  readBlobs(names: readonly string[]): AsyncIterable<Buffer | null>;
  /** Author and date, by commit. */
  commitFacts(commits: readonly string[]): Promise<Map<string, CommitFacts>>;
  /** Ends the process. @throws SecuError `scanner_crashed` if git reported an error */
  close(): Promise<void>;
  /** Kills the process. */
  stop(): Promise<void>;
}

export function openGitObjects(input: {
  gitDirectory: string;
  commit: string;
  folder: string;
  /** Default: no restriction. */
  fence?: Fence;
  signal: AbortSignal;
}): GitObjects {
  const { commit, folder, fence = NO_FENCE, signal } = input;
  const base = { env: localGitEnvironment(input), folder, fence, limits: GIT_LOCAL_LIMITS, signal };
  let session: Session | null = null;
  const open = (command: string, args: readonly string[]): Session => {
    session = openSession({ ...base, command, args });
    return session;
  };
  async function* readObjects(names: readonly string[], maxBytes: number): AsyncGenerator<Buffer | null> {
    const from = session ?? open('git', BATCH);
    let isRead = false;
    try {
      yield* from.read(names, maxBytes);
      isRead = true;
    } finally {
      // the next request would take unread answers as its own
      if (!isRead) {
        session = null;
        await from.stop();
      }
    }
  }
  return {
    async run(args, stdin) {
      const process = { ...base, command: 'git', args, maxStdoutBytes: MAX_OUTPUT_BYTES };
      const result = await runProcess(stdin === undefined ? process : { ...process, input: stdin });
      assertGitSucceeded(result);
      return result.stdout;
    },
    async listTree() {
      return readTree(open('/bin/sh', [READ_COMMIT, commit]).records());
    },
    readBlobs: (names) => readObjects(names, Number.POSITIVE_INFINITY),
    commitFacts: (commits) => readCommitFacts(commits, readObjects(commits, MAX_COMMIT_BYTES)),
    async close() {
      await session?.close();
      session = null;
    },
    async stop() {
      await session?.stop();
      session = null;
    },
  };
}

async function readTree(records: AsyncIterable<Buffer>): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  let pathBytes = 0;
  for await (const record of records) {
    const entry = parseEntry(record);
    pathBytes += entry.path.length;
    if (entries.length >= MAX_TREE_ENTRIES || pathBytes > MAX_TREE_PATH_BYTES) throw tooManyFiles();
    entries.push(entry);
  }
  return entries;
}

async function readCommitFacts(
  commits: readonly string[],
  contents: AsyncIterable<Buffer | null>,
): Promise<Map<string, CommitFacts>> {
  const facts = new Map<string, CommitFacts>();
  let index = 0;
  for await (const content of contents) {
    const id = commits[index];
    index += 1;
    if (content === null || id === undefined) throw unreadable();
    facts.set(id, factsOf(content));
  }
  return facts;
}

const BATCH = ['cat-file', '--batch'];

/** A process that returns objects in the order of the requests. */
interface Session {
  /** The prefix of its output: NUL-terminated records, up to an empty one. */
  records(): AsyncGenerator<Buffer>;
  /** At most `maxBytes` of each object. The caller reads it to the end. */
  read(names: readonly string[], maxBytes: number): AsyncGenerator<Buffer | null>;
  close(): Promise<void>;
  stop(): Promise<void>;
}

function openSession(process: Omit<Parameters<typeof startProcess>[0], 'input' | 'maxStdoutBytes'>): Session {
  const requests = new PassThrough();
  const { stdout, ended, stop } = startProcess({
    ...process,
    input: requests,
    maxStdoutBytes: Number.POSITIVE_INFINITY,
  });
  const reader = createReader(stdout);
  return {
    async *records() {
      for (;;) {
        const record = await reader.upTo(0, MAX_ENTRY_BYTES);
        if (record.length === 0) return;
        yield record;
      }
    },
    async *read(names, maxBytes) {
      if (names.length > 0) requests.write(names.map((name) => `${name}\n`).join(''));
      for (const _ of names) yield await readObject(reader, maxBytes);
    },
    async close() {
      requests.end();
      assertGitSucceeded(await ended);
    },
    async stop() {
      requests.destroy();
      await stop();
    },
  };
}

function assertGitSucceeded({ exitCode, stderr }: Omit<ProcessResult, 'stdout'>): void {
  if (exitCode === 0 && stderr.trim() === '') return;
  throw new SecuError('scanner_crashed', 'git could not read the repository', {
    details: { problem: 'git_failed', exitCode },
  });
}

/** `<mode> <type> <object> <size>\t<path>` @see git-ls-tree(1) */
function parseEntry(record: Buffer): TreeEntry {
  const tab = record.indexOf('\t');
  if (tab === -1) throw unreadable();
  const [mode = '', type = '', objectId = '', size = ''] = record.toString('latin1', 0, tab).split(/ +/);
  if (type !== 'blob' && type !== 'commit' && type !== 'tree') throw unreadable();
  return {
    mode,
    type,
    objectId,
    bytes: type === 'blob' ? Number(size) : null,
    path: record.subarray(tab + 1),
  };
}

/** `<object> blob <size>\n<content>\n`, or `<name> missing\n` @see git-cat-file(1), "Batch output" */
async function readObject(reader: Reader, maxBytes: number): Promise<Buffer | null> {
  const head = (await reader.upTo(NEWLINE, MAX_ANSWER_BYTES)).toString('utf8');
  const match = / (?:missing|([a-z]+) (\d+))$/.exec(head);
  if (match === null) throw unreadable();
  const [, , size] = match;
  if (size === undefined) return null;
  const length = Number(size);
  const content = await reader.bytes(Math.min(length, maxBytes));
  await reader.skip(length - content.length + 1);
  return content;
}

type Reader = ReturnType<typeof createReader>;

/**
 * Reads records and exact numbers of bytes from chunks. Checks the length limit while it reads a record.
 * @throws SecuError `scanner_crashed` if the chunks end early; `object_malformed` if a record is too long
 */
function createReader(chunks: AsyncIterable<Buffer>) {
  const source = chunks[Symbol.asyncIterator]();
  let buffered: Buffer = Buffer.alloc(0);
  const readChunk = async (): Promise<Buffer> => {
    const { value, done } = await source.next();
    if (done === true) throw unreadable();
    return value;
  };
  return {
    /** Returns the bytes before this byte; consumes this byte too. */
    async upTo(end: number, maxBytes: number): Promise<Buffer> {
      for (let searched = 0; ; ) {
        const at = buffered.indexOf(end, searched);
        if (at > maxBytes || (at === -1 && buffered.length > maxBytes)) throw entryTooLong();
        if (at !== -1) {
          const record = buffered.subarray(0, at);
          buffered = buffered.subarray(at + 1);
          return record;
        }
        searched = buffered.length;
        buffered = Buffer.concat([buffered, await readChunk()]);
      }
    },
    async bytes(length: number): Promise<Buffer> {
      const parts = [buffered];
      let total = buffered.length;
      while (total < length) {
        const chunk = await readChunk();
        parts.push(chunk);
        total += chunk.length;
      }
      const all = parts.length === 1 ? buffered : Buffer.concat(parts);
      buffered = all.subarray(length);
      return all.subarray(0, length);
    },
    /** Skips this number of bytes. */
    async skip(length: number): Promise<void> {
      let rest = length;
      while (rest > buffered.length) {
        rest -= buffered.length;
        buffered = await readChunk();
      }
      buffered = buffered.subarray(rest);
    },
  };
}

/** `author NAME <MAIL> SECONDS ZONE`, in the encoding that the commit names. @see git-commit(1), "DISCUSSION" */
function factsOf(commit: Buffer): CommitFacts {
  const end = commit.indexOf('\n\n');
  const head = commit.subarray(0, end === -1 ? commit.length : end);
  const encoding = /^encoding (.+)$/m.exec(head.toString('latin1'))?.[1];
  const text = decoderOf(encoding).decode(head);
  // the name ends at the address, or at the line end if the address is missing
  const author = /^author ?([^<\n]*)/m.exec(text)?.[1] ?? '';
  const seconds = /^committer [^\n]*?> ?(-?\d+)/m.exec(text)?.[1];
  return { author: admit.name(author), committedAt: admit.date(Number(seconds ?? Number.NaN)) };
}

/** UTF-8 for an unknown encoding, and for UTF-16, in which no commit that git can read is written. */
function decoderOf(encoding: string | undefined) {
  try {
    const decoder = new TextDecoder(encoding);
    return decoder.encoding.startsWith('utf-16') ? new TextDecoder() : decoder;
  } catch (err) {
    if (isSystemError(err, 'ERR_ENCODING_NOT_SUPPORTED')) return new TextDecoder();
    throw err;
  }
}

function tooManyFiles(): SecuError {
  return new SecuError('too_many_files', `the commit has more than ${MAX_TREE_ENTRIES} files`, {
    details: { problem: 'too_many_files' },
  });
}

function entryTooLong(): SecuError {
  return new SecuError('object_malformed', 'a tree of the commit has an entry that is too long', {
    details: { problem: 'tree_entry_too_long' },
  });
}

function unreadable(): SecuError {
  return new SecuError('scanner_crashed', 'the output of git cannot be read', {
    details: { problem: 'git_output' },
  });
}
