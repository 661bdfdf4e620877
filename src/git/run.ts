import { fileURLToPath } from 'node:url';
import { simpleGit } from 'simple-git';

const SUPERVISOR = fileURLToPath(new URL('supervise.sh', import.meta.url));
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const MAX_STDERR_BYTES = 1024 * 1024;
const MAX_STDOUT_BYTES = 1024 * 1024;
const BLOCK_BYTES = 512;

/** simple-git lets through only what is named here; everything else of `GIT_*` stops the call. */
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
  /** No file that git writes grows beyond it. */
  maxFileBytes: number;
  /** Ends git and everything that it started. */
  signal: AbortSignal;
}

export interface GitOutcome {
  /** `null` when a signal ended it. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs git by simple-git, in an environment that is wholly ours. Settles only when every process of the run is gone.
 * Never rejects for what git does: simple-git's errors carry the command and git's text, and are dropped here.
 * @throws Error when the signal had fired before
 */
export async function runGit(run: GitRun): Promise<GitOutcome> {
  const { args, folder, configFd, protocol, gitBinary, maxFileBytes, signal } = run;
  signal.throwIfAborted();
  const flood = new AbortController();
  let outcome: GitOutcome | null = null;
  const git = simpleGit({
    baseDir: folder,
    binary: ['/bin/sh', SUPERVISOR],
    // Only when nobody holds its output any more is it over.
    completion: { onClose: true, onExit: false },
    abort: AbortSignal.any([signal, flood.signal]),
    allowEnvironment: [...Object.keys(GIT_ENVIRONMENT), 'GIT_ALLOW_PROTOCOL'],
    unsafe: { allowUnsafeConfigPaths: true, allowUnsafeCustomBinary: true },
    // The library takes a death by signal, and a failure without a word, for success.
    errors: (error, { exitCode, stdOut, stdErr }) => {
      outcome = { exitCode: exitCode as number | null, stdout: textOf(stdOut), stderr: textOf(stdErr) };
      return exitCode === 0
        ? undefined
        : new Error(error === undefined ? 'git failed' : 'git did not end well');
    },
  });
  git.env({
    ...GIT_ENVIRONMENT,
    GIT_ALLOW_PROTOCOL: protocol,
    PATH: SYSTEM_PATH,
    HOME: '/nonexistent',
    LC_ALL: 'C',
    SECU_GIT_BINARY: gitBinary,
    SECU_CONFIG_FD: String(configFd),
    SECU_MAX_BLOCKS: String(Math.ceil(maxFileBytes / BLOCK_BYTES)),
  });
  git.outputHandler((_command, stdout, stderr) => {
    limit({ stream: stdout, maxBytes: MAX_STDOUT_BYTES, onFlood: () => flood.abort() });
    limit({ stream: stderr, maxBytes: MAX_STDERR_BYTES, onFlood: () => flood.abort() });
  });
  try {
    await git.raw(args);
  } catch {
    // what it was is in the outcome; without one, git was never started
  }
  return outcome ?? { exitCode: null, stdout: '', stderr: '' };
}

function limit(input: { stream: NodeJS.ReadableStream; maxBytes: number; onFlood: () => void }): void {
  let bytes = 0;
  input.stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > input.maxBytes) input.onFlood();
  });
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}
