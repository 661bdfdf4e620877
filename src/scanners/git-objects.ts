import { fileURLToPath } from 'node:url';
import { SecuError } from '../domain/errors.ts';
import type { ProcessResult } from './process.ts';
import { runProcess, startProcess } from './process.ts';

const GIT_CONFIG = fileURLToPath(new URL('git-config', import.meta.url));
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
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

/** Reads one repository by the real git. What git cannot do with it is `scanner_crashed`: broken is never clean. */
export interface GitObjects {
  run(args: readonly string[], input?: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Buffer>;
  /** Every file of a commit, in git's order. */
  listTree(commit: string): Promise<TreeEntry[]>;
  /** The content of each object asked for, in that order; `null` for one that is not there. */
  readBlobs(names: readonly string[]): AsyncIterable<Buffer | null>;
  /** By commit. */
  commitFacts(commits: readonly string[]): Promise<Map<string, CommitFacts>>;
}

export function openGitObjects(input: {
  gitDirectory: string;
  folder: string;
  signal: AbortSignal;
}): GitObjects {
  const { folder, signal } = input;
  const base = { command: 'git', env: scannerEnvironment(input), folder, signal };
  const run: GitObjects['run'] = async (args, stdin) => {
    const process = { ...base, args, maxStdoutBytes: MAX_TREE_BYTES };
    const result = await runProcess(stdin === undefined ? process : { ...process, input: stdin });
    assertWell(result);
    return result.stdout;
  };
  return {
    run,
    listTree: async (commit) => parseTree(await run(['ls-tree', '-r', '-z', '-l', '--full-tree', commit])),
    async *readBlobs(names) {
      const { stdout, ended, stop } = startProcess({
        ...base,
        args: ['cat-file', '--batch', '--buffer'],
        input: names.map((name) => Buffer.from(`${name}\n`)),
        maxStdoutBytes: Number.POSITIVE_INFINITY,
      });
      try {
        yield* parseBatch(stdout);
        assertWell(await ended);
      } finally {
        await stop();
      }
    },
    commitFacts: async (commits) => {
      if (commits.length === 0) return new Map();
      const stdin = [Buffer.from(`${commits.join('\n')}\n`)];
      const format = '--format=%H%x00%an%x00%cI';
      return parseFacts(await run(['log', '--no-walk=unsorted', '--stdin', '-z', format], stdin));
    },
  };
}

function assertWell({ exitCode, stderr }: Omit<ProcessResult, 'stdout'>): void {
  if (exitCode === 0 && stderr.trim() === '') return;
  throw new SecuError('scanner_crashed', 'git could not read the repository', {
    details: { problem: 'git_failed', exitCode },
  });
}

/** `<mode> <type> <object> <size>\t<path>\0` @see git-ls-tree(1) */
function parseTree(output: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < output.length; ) {
    const tab = output.indexOf('\t', at);
    const end = output.indexOf(0, at);
    if (tab === -1 || end < tab) throw unreadable();
    const [mode = '', type = '', objectId = '', size = ''] = output.toString('latin1', at, tab).split(/ +/);
    if (type !== 'blob' && type !== 'commit' && type !== 'tree') throw unreadable();
    const bytes = type === 'blob' ? Number(size) : null;
    entries.push({ mode, type, objectId, bytes, path: output.subarray(tab + 1, end) });
    at = end + 1;
  }
  return entries;
}

/** `<object> blob <size>\n<content>\n`, or `<name> missing\n` @see git-cat-file(1), "Batch output" */
async function* parseBatch(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer | null> {
  const reader = createReader(chunks);
  for (;;) {
    const head = await reader.line();
    if (head === null) return;
    const match = / (?:missing|([a-z]+) (\d+))$/.exec(head);
    if (match === null) throw unreadable();
    const [, , size] = match;
    if (size === undefined) {
      yield null;
      continue;
    }
    const content = await reader.bytes(Number(size) + 1);
    yield content.subarray(0, -1);
  }
}

/** Lines and exact numbers of bytes out of chunks. */
function createReader(chunks: AsyncIterable<Buffer>) {
  const source = chunks[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<Buffer | null> => {
    const { value, done } = await source.next();
    return done === true ? null : value;
  };
  return {
    async line(): Promise<string | null> {
      for (;;) {
        const end = held.indexOf(NEWLINE);
        if (end !== -1) {
          const line = held.toString('utf8', 0, end);
          held = held.subarray(end + 1);
          return line;
        }
        const chunk = await more();
        if (chunk === null && held.length > 0) throw unreadable();
        if (chunk === null) return null;
        held = Buffer.concat([held, chunk]);
      }
    },
    async bytes(length: number): Promise<Buffer> {
      const parts = [held];
      let total = held.length;
      while (total < length) {
        const chunk = await more();
        if (chunk === null) throw unreadable();
        parts.push(chunk);
        total += chunk.length;
      }
      const all = parts.length === 1 ? held : Buffer.concat(parts);
      held = all.subarray(length);
      return all.subarray(0, length);
    },
  };
}

function parseFacts(output: Buffer): Map<string, CommitFacts> {
  const fields = output.toString('utf8').split('\0');
  const facts = new Map<string, CommitFacts>();
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [commit = '', author = '', committedAt = ''] = fields.slice(at, at + 3);
    facts.set(commit, { author: author === '' ? null : author, committedAt: isoOf(committedAt) });
  }
  return facts;
}

/** `null` for a date that no calendar has: git keeps what it was given. */
function isoOf(text: string): string | null {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function unreadable(): SecuError {
  return new SecuError('scanner_crashed', 'the output of git cannot be read', {
    details: { problem: 'git_output' },
  });
}
