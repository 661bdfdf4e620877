import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { SecuError } from '../domain/errors.ts';
import { isSystemError } from '../domain/system-error.ts';
import { GIT_LOCAL_LIMITS } from '../subprocess/limits.ts';
import type { ProcessResult } from '../subprocess/process.ts';
import { runProcess, startProcess } from '../subprocess/process.ts';
import { SYSTEM_PATH } from '../subprocess/system-path.ts';

const GIT_CONFIG = fileURLToPath(new URL('git-config', import.meta.url));
const READ_COMMIT = fileURLToPath(new URL('read-commit.sh', import.meta.url));

const MAX_TREE_BYTES = 256 * 1024 * 1024;
const NEWLINE = 0x0a;

/** The whole environment of a program that looks at a repository: no network, no settings but ours. */
export function scannerEnvironment(input: { gitDirectory: string; folder: string }): Record<string, string> {
  return {
    PATH: SYSTEM_PATH,
    HOME: '/nonexistent',
    TMPDIR: input.folder,
    LC_ALL: 'C',
    GIT_DIR: input.gitDirectory,
    GIT_CONFIG_GLOBAL: GIT_CONFIG,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_ALLOW_PROTOCOL: 'none',
  };
}

export interface TreeEntry {
  mode: string;
  type: 'blob' | 'commit' | 'tree';
  objectId: string;
  /** `null` for what is no blob. */
  bytes: number | null;
  /** As it is in git: any bytes but NUL. */
  path: Buffer;
}

export interface CommitFacts {
  author: string | null;
  /** ISO 8601 */
  committedAt: string | null;
}

/**
 * Reads one repository by the real git: one process, which lists the files of a commit and then answers for objects
 * until it is closed. What git cannot do with it is `scanner_crashed`: broken is never clean.
 */
export interface GitObjects {
  /** A process of its own. */
  run(args: readonly string[], input?: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Buffer>;
  /** Every file of the commit, in git's order. To be called first, and once. */
  listTree(): Promise<TreeEntry[]>;
  /** The content of each object asked for, in that order; `null` for one that is not there. One call at a time. */
  readBlobs(names: readonly string[]): AsyncIterable<Buffer | null>;
  /** By commit. */
  commitFacts(commits: readonly string[]): Promise<Map<string, CommitFacts>>;
  /** What git had to complain of shows here at the latest. */
  close(): Promise<void>;
  /** For whoever does not want the rest. */
  stop(): Promise<void>;
}

export function openGitObjects(input: {
  gitDirectory: string;
  commit: string;
  folder: string;
  signal: AbortSignal;
}): GitObjects {
  const { commit, folder, signal } = input;
  const base = { env: scannerEnvironment(input), folder, limits: GIT_LOCAL_LIMITS, signal };
  let session: Session | null = null;
  const open = (command: string, args: readonly string[]): Session => {
    session = openSession({ ...base, command, args });
    return session;
  };
  async function* readBlobs(names: readonly string[]): AsyncGenerator<Buffer | null> {
    const from = session ?? open('git', BATCH);
    let isRead = false;
    try {
      yield* from.read(names);
      isRead = true;
    } finally {
      // what is left of the answers would be taken for those of the next question
      if (!isRead) {
        session = null;
        await from.stop();
      }
    }
  }
  return {
    async run(args, stdin) {
      const process = { ...base, command: 'git', args, maxStdoutBytes: MAX_TREE_BYTES };
      const result = await runProcess(stdin === undefined ? process : { ...process, input: stdin });
      assertWell(result);
      return result.stdout;
    },
    async listTree() {
      const entries: TreeEntry[] = [];
      for await (const record of open('/bin/sh', [READ_COMMIT, commit]).records())
        entries.push(parseEntry(record));
      return entries;
    },
    readBlobs,
    async commitFacts(commits) {
      const facts = new Map<string, CommitFacts>();
      let index = 0;
      for await (const content of readBlobs(commits)) {
        const id = commits[index];
        index += 1;
        if (content === null || id === undefined) throw unreadable();
        facts.set(id, factsOf(content));
      }
      return facts;
    },
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

const BATCH = ['cat-file', '--batch'];

/** A process that answers for objects, in the order in which they are asked for. */
interface Session {
  /** What it says before it is asked: records that end in NUL, up to an empty one. */
  records(): AsyncGenerator<Buffer>;
  /** To be read to the end. */
  read(names: readonly string[]): AsyncGenerator<Buffer | null>;
  close(): Promise<void>;
  stop(): Promise<void>;
}

function openSession(process: Omit<Parameters<typeof startProcess>[0], 'input' | 'maxStdoutBytes'>): Session {
  const questions = new PassThrough();
  const { stdout, ended, stop } = startProcess({
    ...process,
    input: questions,
    maxStdoutBytes: Number.POSITIVE_INFINITY,
  });
  const reader = createReader(stdout);
  return {
    async *records() {
      for (let bytes = 0; ; ) {
        const record = await reader.upTo(0);
        bytes += record.length;
        if (bytes > MAX_TREE_BYTES) throw unreadable();
        if (record.length === 0) return;
        yield record;
      }
    },
    async *read(names) {
      if (names.length > 0) questions.write(names.map((name) => `${name}\n`).join(''));
      for (const _ of names) yield await readObject(reader);
    },
    async close() {
      questions.end();
      assertWell(await ended);
    },
    async stop() {
      questions.destroy();
      await stop();
    },
  };
}

function assertWell({ exitCode, stderr }: Omit<ProcessResult, 'stdout'>): void {
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
async function readObject(reader: Reader): Promise<Buffer | null> {
  const head = (await reader.upTo(NEWLINE)).toString('utf8');
  const match = / (?:missing|([a-z]+) (\d+))$/.exec(head);
  if (match === null) throw unreadable();
  const [, , size] = match;
  if (size === undefined) return null;
  const content = await reader.bytes(Number(size) + 1);
  return content.subarray(0, -1);
}

type Reader = ReturnType<typeof createReader>;

/** Records and exact numbers of bytes out of chunks. @throws SecuError `scanner_crashed` where they end before */
function createReader(chunks: AsyncIterable<Buffer>) {
  const source = chunks[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<Buffer> => {
    const { value, done } = await source.next();
    if (done === true) throw unreadable();
    return value;
  };
  return {
    /** What comes before this byte, which is taken too. */
    async upTo(end: number): Promise<Buffer> {
      for (let searched = 0; ; ) {
        const at = held.indexOf(end, searched);
        if (at !== -1) {
          const record = held.subarray(0, at);
          held = held.subarray(at + 1);
          return record;
        }
        searched = held.length;
        held = Buffer.concat([held, await more()]);
      }
    },
    async bytes(length: number): Promise<Buffer> {
      const parts = [held];
      let total = held.length;
      while (total < length) {
        const chunk = await more();
        parts.push(chunk);
        total += chunk.length;
      }
      const all = parts.length === 1 ? held : Buffer.concat(parts);
      held = all.subarray(length);
      return all.subarray(0, length);
    },
  };
}

/** `author NAME <MAIL> SECONDS ZONE`, in the encoding that the commit names. @see git-commit(1), "DISCUSSION" */
function factsOf(commit: Buffer): CommitFacts {
  const end = commit.indexOf('\n\n');
  const head = commit.subarray(0, end === -1 ? commit.length : end);
  const encoding = /^encoding (.+)$/m.exec(head.toString('latin1'))?.[1];
  const text = decoderOf(encoding).decode(head);
  const author = /^author ?(.*?) ?</m.exec(text)?.[1] ?? '';
  const seconds = /^committer .*> (\d+)/m.exec(text)?.[1];
  return { author: author === '' ? null : author, committedAt: isoOf(Number(seconds ?? Number.NaN)) };
}

function decoderOf(encoding: string | undefined) {
  try {
    return new TextDecoder(encoding);
  } catch (err) {
    if (isSystemError(err, 'ERR_ENCODING_NOT_SUPPORTED')) return new TextDecoder();
    throw err;
  }
}

/** `null` for a date that no calendar has: git keeps what it was given. */
function isoOf(seconds: number): string | null {
  const date = new Date(seconds * 1_000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function unreadable(): SecuError {
  return new SecuError('scanner_crashed', 'the output of git cannot be read', {
    details: { problem: 'git_output' },
  });
}
