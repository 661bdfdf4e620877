import { mkdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createKeyedLimiter } from '../concurrency/limiter.ts';
import { isSecuError, SecuError } from '../domain/errors.ts';
import type { CloneResult, GitRemote, RemoteRepository } from '../domain/ports.ts';
import { createBareRepository } from '../subprocess/bare-repository.ts';
import { cloneAddress } from './address.ts';
import type { CallSettings } from './call.ts';
import { callGit, refused } from './call.ts';
import { NO_BRANCH } from './config.ts';
import { readFetchedCommit } from './fetch-head.ts';
import { folderBytes, watchFolder } from './folder-size.ts';
import { localHead } from './local-head.ts';
import { memoryFolder } from './memory-file.ts';
import type { Refusal } from './refusals.ts';
import { FOR_CLONE } from './refusals.ts';
import { writeRoots } from './roots.ts';

const TEMPLATE_FOLDER = fileURLToPath(new URL('template', import.meta.url));
const DEFAULT_LOW_SPEED_SECONDS = 30;
const HEAD_MAX_FILE_BYTES = 1024 * 1024;
const TOO_LARGE: Refusal = { code: 'clone_too_large', problem: 'size' };

export interface GitRemoteOptions {
  /** For what git needs beside a clone; nothing secret is written there. */
  workFolder: string;
  /** `host:port:address[,address]`, or `null` where there is nothing to pin. Its SecuErrors go through. */
  pinFor: (url: string) => Promise<string | null>;
  /** `null` = direct. */
  proxyFor: (url: URL) => string | null;
  /** PEM roots beside those of the system. */
  caPem?: string | undefined;
  clonesPerOrigin: number;
  cloneTimeoutMs: number;
  cloneMaxBytes: number;
  headTimeoutMs: number;
  /** A transfer below 1,000 bytes a second for this long is ended. */
  lowSpeedSeconds?: number;
  gitBinary?: string;
}

type CloneInput = Parameters<GitRemote['clone']>[0];

/**
 * Git over https, through the real git, hardened: `config.ts` has what it may not do, `credentials.ts` how the token
 * reaches it, `supervise.sh` how it ends.
 */
export function createGitRemote(options: GitRemoteOptions): GitRemote {
  const { workFolder, caPem } = options;
  mkdirSync(workFolder, { recursive: true, mode: 0o700 });
  const settings: CallSettings = {
    workFolder,
    pinFor: options.pinFor,
    proxyFor: options.proxyFor,
    caFile: caPem === undefined ? null : writeRoots({ folder: workFolder, caPem }),
    templateFolder: TEMPLATE_FOLDER,
    lowSpeedSeconds: options.lowSpeedSeconds ?? DEFAULT_LOW_SPEED_SECONDS,
    gitBinary: options.gitBinary ?? 'git',
    memoryFolder: folderForTokens(),
  };
  const turnsAt = createKeyedLimiter(options.clonesPerOrigin);
  return {
    readHead: (repository) => readHead({ settings, repository, timeoutMs: options.headTimeoutMs }),
    clone: async (repository) => {
      const { origin } = new URL(cloneAddress(repository).url);
      return turnsAt(origin)(repository.signal, () => clone({ settings, repository, options }));
    },
  };
}

/** Where git is given a token. @throws SecuError `tool_unavailable` on a machine where it cannot be */
export function folderForTokens(): string {
  const folder = memoryFolder();
  if (folder !== null) return folder;
  throw new SecuError(
    'tool_unavailable',
    'neither /dev/shm nor /run is a file system in memory that we may write; git gets the token through one',
  );
}

async function readHead(input: {
  settings: CallSettings;
  repository: RemoteRepository;
  timeoutMs: number;
}): Promise<{ commit: string | null }> {
  const printed = await callGit({
    ...input,
    args: (url) => ['ls-remote', '--symref', '--', url, 'HEAD'],
    lateness: { code: 'gitlab_unreachable', problem: 'timed_out' },
    maxFileBytes: HEAD_MAX_FILE_BYTES,
  });
  return { commit: /^([0-9a-f]{40,64})\tHEAD$/m.exec(printed ?? '')?.[1] ?? null };
}

async function clone(input: {
  settings: CallSettings;
  repository: CloneInput;
  options: GitRemoteOptions;
}): Promise<CloneResult> {
  const { repository, options } = input;
  const { directory } = repository;
  await mkdir(dirname(directory), { recursive: true });
  try {
    return await cloneInto({ ...input, maxBytes: options.cloneMaxBytes });
  } catch (err) {
    await rm(directory, { recursive: true, force: true });
    throw err;
  }
}

async function cloneInto({
  settings,
  repository,
  options,
  maxBytes,
}: Parameters<typeof clone>[0] & { maxBytes: number }): Promise<CloneResult> {
  const { directory, history } = repository;
  const startedAt = performance.now();
  const ended = new AbortController();
  const grown = new AbortController();
  const onExceeded = () => grown.abort();
  const watch = watchFolder({ folder: directory, maxBytes, onExceeded, signal: ended.signal });
  const transfer: Transfer = (args) =>
    callGit({
      settings,
      repository,
      args,
      timeoutMs: options.cloneTimeoutMs,
      lateness: { code: 'clone_timed_out', problem: 'timed_out' },
      maxFileBytes: maxBytes,
      stop: { signal: grown.signal, refusal: TOO_LARGE },
    });
  const depth = history === 'full' ? [] : ['--depth', '1'];
  try {
    const how = { transfer, directory, depth };
    const { commit } = (await fetchHead(how)) ?? (await cloneWhole(how));
    const bytes = await folderBytes(directory);
    if (bytes > maxBytes) throw refused(TOO_LARGE);
    return { gitDirectory: directory, commit, bytes, ms: Math.round(performance.now() - startedAt) };
  } finally {
    ended.abort();
    await watch;
  }
}

/** One call of git; what it printed, or `null` where GitLab says that the repository was never made. */
type Transfer = (args: (url: string) => string[]) => Promise<string | null>;

interface Transferring {
  transfer: Transfer;
  directory: string;
  depth: readonly string[];
}

/** The head into a repository of ours; `null` where there is none, or of another kind: `git clone` tells more then. */
async function fetchHead({
  transfer,
  directory,
  depth,
}: Transferring): Promise<{ commit: string | null } | null> {
  await createBareRepository({ gitDirectory: directory });
  const into = ['--git-dir', directory, 'fetch', '--quiet', '--no-tags', '--no-auto-maintenance', ...depth];
  try {
    const printed = await transfer((url) => [...into, '--', url, 'HEAD']);
    return { commit: printed === null ? null : await readFetchedCommit(directory) };
  } catch (err) {
    if (!isForClone(err)) throw err;
    await rm(directory, { recursive: true, force: true });
    return null;
  }
}

function isForClone(err: unknown): boolean {
  return isSecuError(err, 'clone_failed') && FOR_CLONE.has(String(err.details['problem']));
}

/** Also one without a commit, and one whose objects have longer names. */
async function cloneWhole({ transfer, directory, depth }: Transferring): Promise<{ commit: string | null }> {
  const how = ['clone', '--quiet', '--bare', ...depth, '--single-branch', '--no-tags'];
  const printed = await transfer((url) => [...how, '--', url, directory]);
  return { commit: printed === null ? null : await provenHead(directory) };
}

/** The head of a clone; one without a commit counts only when the server spoke git's protocol. */
async function provenHead(directory: string): Promise<string | null> {
  const { commit, branch } = await localHead(directory);
  if (commit === null && branch === NO_BRANCH) throw refused({ code: 'clone_failed', problem: 'not_git' });
  return commit;
}
