import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createKeyedLimiter } from '../concurrency/limiter.ts';
import { SecuError } from '../domain/errors.ts';
import type { BranchTip, GitRemote, RemoteBranches, RemoteRepository } from '../domain/ports.ts';
import { memoryFolder } from '../subprocess/memory-file.ts';
import type { Sandbox } from '../subprocess/sandbox.ts';
import { cloneAddress } from './address.ts';
import type { CallSettings } from './call.ts';
import { callGit } from './call.ts';
import { branchOf, cloneRepository } from './clone.ts';
import { writeRoots } from './roots.ts';

const TEMPLATE_FOLDER = fileURLToPath(new URL('template', import.meta.url));
const DEFAULT_LOW_SPEED_SECONDS = 30;
const HEAD_MAX_FILE_BYTES = 1024 * 1024;

export interface GitRemoteOptions {
  /** Folder for files that git needs besides a clone; no secret is written there. */
  workFolder: string;
  /** `host:port:address[,address]`, or `null` where no address is pinned. Its SecuErrors are passed on. */
  pinFor: (url: string) => Promise<string | null>;
  /** `null` = direct. */
  proxyFor: (url: URL) => string | null;
  /** PEM roots in addition to those of the system. */
  caPem?: string | undefined;
  clonesPerOrigin: number;
  cloneTimeoutMs: number;
  cloneMaxBytes: number;
  headTimeoutMs: number;
  /** A transfer that stays below 1,000 bytes a second for this long is ended. */
  lowSpeedSeconds?: number;
  gitBinary?: string;
  /** Restricts git; default: no restriction. */
  sandbox?: Sandbox;
}

/**
 * Hardened Git over HTTPS. `config.ts` restricts git, `credentials.ts` hands it the token, and
 * `src/subprocess/supervise.sh` ends it.
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
    sandbox: options.sandbox ?? null,
  };
  const limiterOf = createKeyedLimiter(options.clonesPerOrigin);
  return {
    readHead: (repository) => readHead({ settings, repository, timeoutMs: options.headTimeoutMs }),
    listBranches: (repository) => listBranches({ settings, repository, timeoutMs: options.headTimeoutMs }),
    clone: async (repository) => {
      const { origin } = new URL(cloneAddress(repository).url);
      return limiterOf(origin)(repository.signal, () =>
        cloneRepository({ settings, repository, limits: options }),
      );
    },
  };
}

/**
 * The folder of the files that pass the token to git. @throws SecuError `tool_unavailable` on a machine without
 * one
 */
export function folderForTokens(): string {
  const folder = memoryFolder();
  if (folder !== null) return folder;
  throw new SecuError(
    'tool_unavailable',
    'neither /dev/shm nor /run is a writable file system in memory, which hands the token to git',
  );
}

async function readHead(input: {
  settings: CallSettings;
  repository: RemoteRepository;
  timeoutMs: number;
}): Promise<{ commit: string | null }> {
  const branch = branchOf(input.repository.defaultBranch);
  const refs = branch === null ? ['HEAD'] : ['HEAD', `refs/heads/${branch}`];
  const printed = await callGit({
    ...input,
    args: (url) => ['ls-remote', '--', url, ...refs],
    onTimeout: { code: 'gitlab_unreachable', problem: 'timed_out' },
    maxFileBytes: HEAD_MAX_FILE_BYTES,
  });
  const commits = refs.map((ref) => commitOf(ref, printed ?? ''));
  return { commit: commits.find((commit) => commit !== null) ?? null };
}

async function listBranches(input: {
  settings: CallSettings;
  repository: RemoteRepository;
  timeoutMs: number;
}): Promise<RemoteBranches> {
  const printed = await callGit({
    ...input,
    args: (url) => ['ls-remote', '--', url, 'HEAD', 'refs/heads/*'],
    onTimeout: { code: 'gitlab_unreachable', problem: 'timed_out' },
    maxFileBytes: HEAD_MAX_FILE_BYTES,
  });
  const lines = (printed ?? '').split('\n').filter((line) => line.includes('\trefs/heads/'));
  const tips = lines.flatMap((line): BranchTip[] => {
    const [, commit, name] = /^([0-9a-f]{40,64})\trefs\/heads\/(.+)$/.exec(line) ?? [];
    const usable = branchOf(name);
    return commit === undefined || usable === null ? [] : [{ name: usable, commit }];
  });
  const named = tips.find(({ name }) => name === input.repository.defaultBranch)?.commit ?? null;
  return { head: commitOf('HEAD', printed ?? '') ?? named, tips, hasUnusable: tips.length < lines.length };
}

/** The commit of a ref in the output of `git ls-remote`. */
function commitOf(ref: string, printed: string): string | null {
  const line = printed.split('\n').find((one) => one.endsWith(`\t${ref}`));
  return /^([0-9a-f]{40,64})\t/.exec(line ?? '')?.[1] ?? null;
}
