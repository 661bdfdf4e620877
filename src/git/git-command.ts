import { simpleGit } from 'simple-git';
import { gitRemoteLimits } from '../subprocess/limits.ts';
import type { Fence } from '../subprocess/process.ts';
import { openMounts } from '../subprocess/process.ts';
import { SUPERVISOR, supervisorEnvironment } from '../subprocess/supervisor.ts';
import { SYSTEM_PATH } from '../subprocess/system-path.ts';

const MAX_STDERR_BYTES = 1024 * 1024;
const MAX_STDOUT_BYTES = 1024 * 1024;

/** simple-git refuses to start with any other `GIT_*` variable. */
const GIT_ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: '/proc/self/fd/9',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_LFS_SKIP_SMUDGE: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
} as const;

export interface GitRun {
  args: string[];
  /** An existing folder, outside of any repository. */
  folder: string;
  /** Descriptor of the configuration, in this process. */
  configFd: number;
  protocol: 'http' | 'https';
  gitBinary: string;
  fence: Fence;
  /** Limit of each file that git writes. */
  maxFileBytes: number;
  /** Kills git and all of its child processes. */
  signal: AbortSignal;
}

export interface GitOutcome {
  /** `null` when a signal ended it. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs git through simple-git, in an environment that contains only our settings. Resolves when every process of the run has ended,
 * also when git failed: simple-git's errors carry the command line and git's text, so they are dropped here.
 * @throws Error when the signal has already fired
 */
export async function runGit(run: GitRun): Promise<GitOutcome> {
  const { args, folder, signal } = run;
  signal.throwIfAborted();
  const overflow = new AbortController();
  let outcome: GitOutcome | null = null;
  const git = simpleGit({
    baseDir: folder,
    binary: ['/bin/sh', SUPERVISOR],
    // The run is over when no process holds its output open.
    completion: { onClose: true, onExit: false },
    abort: AbortSignal.any([signal, overflow.signal]),
    allowEnvironment: [...Object.keys(GIT_ENVIRONMENT), 'GIT_ALLOW_PROTOCOL'],
    unsafe: { allowUnsafeConfigPaths: true, allowUnsafeCustomBinary: true },
    // simple-git treats an end by signal, and a failure without output, as a success.
    errors: (error, { exitCode, stdOut, stdErr }) => {
      outcome = { exitCode: exitCode as number | null, stdout: textOf(stdOut), stderr: textOf(stdErr) };
      return exitCode === 0
        ? undefined
        : new Error(error === undefined ? 'git failed' : 'git failed with an error');
    },
  });
  const mounts = openMounts(run.fence);
  git.env(environmentOf(run, mounts?.fd));
  git.outputHandler((_command, stdout, stderr) => {
    limit({ stream: stdout, maxBytes: MAX_STDOUT_BYTES, onLimit: () => overflow.abort() });
    limit({ stream: stderr, maxBytes: MAX_STDERR_BYTES, onLimit: () => overflow.abort() });
  });
  try {
    await git.raw(args);
  } catch {
    // the outcome has the exit code; without an outcome git did not start
  } finally {
    mounts?.close();
  }
  return outcome ?? { exitCode: null, stdout: '', stderr: '' };
}

function environmentOf(run: GitRun, mountsFd: number | undefined): Record<string, string> {
  const { configFd, protocol, gitBinary, maxFileBytes, fence } = run;
  const limits = gitRemoteLimits(maxFileBytes);
  return {
    ...GIT_ENVIRONMENT,
    GIT_ALLOW_PROTOCOL: protocol,
    PATH: SYSTEM_PATH,
    HOME: '/nonexistent',
    LC_ALL: 'C',
    // glibc reserves 64 MiB of addresses for each thread without it
    MALLOC_ARENA_MAX: '1',
    ...supervisorEnvironment({ lifeline: 'stdin', limits, hasMounts: mountsFd !== undefined }),
    SECU_PROGRAM: gitBinary,
    SECU_CONFIG_FD: String(configFd),
    ...(mountsFd === undefined ? {} : { SECU_MOUNTS_FD: String(mountsFd) }),
    ...(fence.namespaces.length === 0 ? {} : { SECU_NAMESPACES: fence.namespaces.join(' ') }),
  };
}

function limit(input: { stream: NodeJS.ReadableStream; maxBytes: number; onLimit: () => void }): void {
  let bytes = 0;
  input.stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > input.maxBytes) input.onLimit();
  });
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}
