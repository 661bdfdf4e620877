import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SecuError } from '../domain/errors.ts';
import { isSystemError } from '../domain/system-error.ts';
import type { MemoryFile } from './memory-file.ts';
import { openMemoryFile } from './memory-file.ts';
import type { ProcessLimits } from './supervisor.ts';
import { SUPERVISOR, supervisorEnvironment } from './supervisor.ts';

const MAX_STDERR_BYTES = 1024 * 1024;

/** Restrictions of one program. */
export interface Fence {
  /** Options of unshare(1); empty = none. */
  namespaces: readonly string[];
  /** Mounts in its own mount namespace, as an fstab(5) file that is passed in a memory file of `folder`. */
  mounts: { folder: string; fstab: string } | null;
}

export const NO_FENCE: Fence = { namespaces: [], mounts: null };

/** The file for `SECU_MOUNTS_FD` of the supervisor. */
export function openMounts({ mounts }: Fence): MemoryFile | null {
  return mounts === null ? null : openMemoryFile({ folder: mounts.folder, content: mounts.fstab });
}

export interface ProcessInput {
  command: string;
  args: readonly string[];
  /** The whole environment: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  folder: string;
  limits: ProcessLimits;
  /** Default: none. */
  fence?: Fence;
  /** Written to its standard input. */
  input?: AsyncIterable<Buffer> | Iterable<Buffer>;
  /** The process is killed when its standard output exceeds this. */
  maxStdoutBytes: number;
  /** Kills the process and all of its children. */
  signal: AbortSignal;
}

export interface ProcessResult {
  /** `null` when a signal killed it. */
  exitCode: number | null;
  stdout: Buffer;
  stderr: string;
}

export interface RunningProcess {
  /** Chunks of its standard output. The caller reads them to the end or calls `stop`. */
  stdout: AsyncIterable<Buffer>;
  /** Exit code and standard error. */
  ended: Promise<Omit<ProcessResult, 'stdout'>>;
  /** Kills the process unless it has ended. No process of the run is left when this resolves. */
  stop: () => Promise<void>;
}

/** Runs a program to its end. @throws SecuError `scanner_crashed` for too much output; the reason of the signal */
export async function runProcess(input: ProcessInput): Promise<ProcessResult> {
  const { stdout, ended } = startProcess(input);
  const output = await collect(stdout);
  return { ...(await ended), stdout: output };
}

/** Starts a program in its own process group, under the supervisor. `ended` rejects like `runProcess`. */
export function startProcess(run: ProcessInput): RunningProcess {
  const { signal } = run;
  signal.throwIfAborted();
  const child = spawnSupervised(run);
  const outputLimit = new AbortController();
  const killSignal = AbortSignal.any([signal, outputLimit.signal]);
  let isClosed = false;
  // The pid of an ended process may belong to another one by now.
  const kill = () => {
    if (!isClosed) killGroup(child.pid);
  };
  killSignal.addEventListener('abort', kill, { once: true });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      isClosed = true;
      resolve(exitCode);
    });
  });
  const errors = collect(limited({ stream: child.stderr, maxBytes: MAX_STDERR_BYTES, outputLimit }));
  const inputWritten = writeInput({ stdin: child.stdin, input: run.input ?? [], kill });
  const ended = (async () => {
    try {
      const [exitCode, stderr] = await Promise.all([closed, errors]);
      signal.throwIfAborted();
      if (outputLimit.signal.aborted)
        throw new SecuError('scanner_crashed', 'a program exceeded its output limit');
      await inputWritten;
      return { exitCode, stderr: stderr.toString('utf8') };
    } finally {
      killSignal.removeEventListener('abort', kill);
    }
  })();
  // The caller may fail while it reads the output and never await these.
  for (const promise of [inputWritten, ended]) promise.catch(() => undefined);
  const stop = async () => {
    kill();
    child.stdout.destroy();
    await Promise.allSettled([ended]);
  };
  return {
    stdout: limited({ stream: child.stdout, maxBytes: run.maxStdoutBytes, outputLimit }),
    ended,
    stop,
  };
}

type PipedProcess = ChildProcessByStdio<Writable, Readable, Readable>;

function spawnSupervised({
  command,
  args,
  env,
  folder,
  limits,
  fence = NO_FENCE,
}: ProcessInput): PipedProcess {
  const supervised = ['/bin/sh', SUPERVISOR, command, ...args];
  const { namespaces } = fence;
  const [program = '', ...rest] =
    namespaces.length === 0 ? supervised : ['unshare', ...namespaces, '--', ...supervised];
  const mounts = openMounts(fence);
  try {
    return spawn(program, rest, {
      cwd: folder,
      env: { ...env, ...supervisorEnvironment({ lifeline: '3', limits, hasMounts: mounts !== null }) },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', ...(mounts === null ? [] : [mounts.fd])],
    }) as PipedProcess;
  } finally {
    mounts?.close();
  }
}

async function* limited(input: {
  stream: Readable;
  maxBytes: number;
  outputLimit: AbortController;
}): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of input.stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > input.maxBytes) return input.outputLimit.abort();
    yield chunk;
  }
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

const CLOSED_PIPE = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'];

/** A program that ends early closes its standard input; the exit code explains why, so the broken pipe is ignored. */
async function writeInput(input: {
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
