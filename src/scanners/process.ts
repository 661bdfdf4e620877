import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { SecuError } from '../domain/errors.ts';
import { isSystemError } from '../domain/system-error.ts';

const SUPERVISOR = fileURLToPath(new URL('supervise.sh', import.meta.url));
const MAX_STDERR_BYTES = 1024 * 1024;

export interface ProcessInput {
  command: string;
  args: readonly string[];
  /** All of it. */
  env: Readonly<Record<string, string>>;
  folder: string;
  /** For its standard input. */
  input?: AsyncIterable<Buffer> | Iterable<Buffer>;
  /** More than this on its standard output ends it. */
  maxStdoutBytes: number;
  /** Ends it and everything that it started. */
  signal: AbortSignal;
}

export interface ProcessResult {
  /** `null` when a signal ended it. */
  exitCode: number | null;
  stdout: Buffer;
  stderr: string;
}

export interface RunningProcess {
  /** Chunks of its standard output; to be read to the end. */
  stdout: AsyncIterable<Buffer>;
  /** How it ended, and what it wrote to standard error. */
  ended: Promise<Omit<ProcessResult, 'stdout'>>;
  /** For whoever does not want the rest: ends it, unless it has ended; nothing of it is left afterwards. */
  stop: () => Promise<void>;
}

/** Runs a program to its end. @throws SecuError `scanner_crashed` for too much output; the signal's reason */
export async function runProcess(input: ProcessInput): Promise<ProcessResult> {
  const { stdout, ended } = startProcess(input);
  const output = await collect(stdout);
  return { ...(await ended), stdout: output };
}

/** Starts a program in a group of its own, under the supervisor. @throws as `runProcess`, by `ended` */
export function startProcess(run: ProcessInput): RunningProcess {
  const { command, args, env, folder, signal } = run;
  signal.throwIfAborted();
  const child = spawn('/bin/sh', [SUPERVISOR, command, ...args], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const flood = new AbortController();
  const enough = AbortSignal.any([signal, flood.signal]);
  let isClosed = false;
  // A number that is free may be another's by now.
  const kill = () => {
    if (!isClosed) killGroup(child.pid);
  };
  enough.addEventListener('abort', kill, { once: true });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      isClosed = true;
      resolve(exitCode);
    });
  });
  const errors = collect(limited({ stream: child.stderr, maxBytes: MAX_STDERR_BYTES, flood }));
  const fed = feed({ stdin: child.stdin, input: run.input ?? [], kill });
  const ended = (async () => {
    try {
      const [exitCode, stderr] = await Promise.all([closed, errors]);
      signal.throwIfAborted();
      if (flood.signal.aborted) throw new SecuError('scanner_crashed', 'a program wrote more than it may');
      await fed;
      return { exitCode, stderr: stderr.toString('utf8') };
    } finally {
      enough.removeEventListener('abort', kill);
    }
  })();
  // Whoever reads the output may fail before it asks how the program ended.
  for (const promise of [fed, ended]) promise.catch(() => undefined);
  const stop = async () => {
    kill();
    child.stdout.destroy();
    await Promise.allSettled([ended]);
  };
  return { stdout: limited({ stream: child.stdout, maxBytes: run.maxStdoutBytes, flood }), ended, stop };
}

async function* limited(input: {
  stream: Readable;
  maxBytes: number;
  flood: AbortController;
}): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of input.stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > input.maxBytes) return input.flood.abort();
    yield chunk;
  }
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

const CLOSED_PIPE = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'];

/** A program that ends before it read everything closes its input: its exit code says why, not the pipe. */
async function feed(input: {
  stdin: Writable;
  input: NonNullable<ProcessInput['input']>;
  kill: () => void;
}): Promise<void> {
  try {
    await pipeline(input.input, input.stdin);
  } catch (err) {
    if (isSystemError(err, ...CLOSED_PIPE)) return;
    input.kill();
    throw err;
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (err) {
    if (!isSystemError(err, 'ESRCH')) throw err;
  }
}
