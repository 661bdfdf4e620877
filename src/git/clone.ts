import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSecuError } from '../domain/errors.ts';
import type { CloneResult, GitRemote } from '../domain/ports.ts';
import { createBareRepository } from '../subprocess/bare-repository.ts';
import type { CallSettings } from './call.ts';
import { callGit, refused } from './call.ts';
import { NO_BRANCH } from './config.ts';
import { readFetchedCommit } from './fetch-head.ts';
import { folderBytes, watchFolder } from './folder-size.ts';
import { hasBranches, localHead } from './local-head.ts';
import type { Refusal } from './refusals.ts';

const TOO_LARGE: Refusal = { code: 'clone_too_large', problem: 'size' };
/** A name that git allows and that is safe as one argument. @see git-check-ref-format(1) */
const BRANCH_NAME = /^(?!-)(?!.*(?:\.\.|\/\/|@\{|\.lock(?:\/|$)|\/$|\.$))[^\p{Cc}\p{Z}~^:?*[\\]{1,255}$/u;

export interface CloneLimits {
  cloneTimeoutMs: number;
  cloneMaxBytes: number;
}

/** Clones the head of a repository, or its whole history. Leaves nothing in `directory` when it fails. */
export async function cloneRepository(input: {
  settings: CallSettings;
  repository: Parameters<GitRemote['clone']>[0];
  limits: CloneLimits;
}): Promise<CloneResult> {
  const { directory } = input.repository;
  await mkdir(dirname(directory), { recursive: true });
  try {
    return await cloneWithinLimits(input);
  } catch (err) {
    await rm(directory, { recursive: true, force: true });
    throw err;
  }
}

async function cloneWithinLimits({
  settings,
  repository,
  limits,
}: Parameters<typeof cloneRepository>[0]): Promise<CloneResult> {
  const { directory, history, defaultBranch } = repository;
  const { cloneTimeoutMs, cloneMaxBytes: maxBytes } = limits;
  const startedAt = performance.now();
  const ended = new AbortController();
  const exceeded = new AbortController();
  const onExceeded = () => exceeded.abort();
  const watch = watchFolder({ folder: directory, maxBytes, onExceeded, signal: ended.signal });
  const transfer: Transfer = (args) =>
    callGit({
      settings,
      repository,
      args,
      timeoutMs: cloneTimeoutMs,
      onTimeout: { code: 'clone_timed_out', problem: 'timed_out' },
      maxFileBytes: maxBytes,
      writable: dirname(directory),
      stop: { signal: exceeded.signal, refusal: TOO_LARGE },
    });
  const depth = history === 'full' ? [] : ['--depth', '1'];
  try {
    const cloned = await cloneHead({ transfer, directory, depth, branch: branchOf(defaultBranch) });
    const bytes = await folderBytes(directory);
    if (bytes > maxBytes) throw refused(TOO_LARGE);
    return { ...cloned, gitDirectory: directory, bytes, ms: Math.round(performance.now() - startedAt) };
  } finally {
    ended.abort();
    await watch;
  }
}

/** The branch that GitLab names, as a git argument; `null` for a name that no branch can have. */
export function branchOf(name: string | null | undefined): string | null {
  return name != null && BRANCH_NAME.test(name) ? name : null;
}

/** Runs git once. Returns its output, or `null` if GitLab reports that the repository was never created. */
type Transfer = (args: (url: string) => string[]) => Promise<string | null>;

interface CloneAttempt {
  transfer: Transfer;
  directory: string;
  depth: readonly string[];
  branch: string | null;
}

type ClonedHead = Pick<CloneResult, 'commit' | 'branch'>;

/**
 * The commit of HEAD. If HEAD names no commit, the commit of the branch that GitLab names.
 * @throws SecuError `head_unresolved` if neither exists and the repository has branches
 */
async function cloneHead(attempt: CloneAttempt): Promise<ClonedHead> {
  const { branch } = attempt;
  const head = await fetchRef(attempt, 'HEAD');
  if (typeof head === 'object') return { commit: head.commit, branch: null };
  if (head === 'other_object_names') return cloneOtherNames(attempt);
  const named = branch === null ? head : await fetchRef(attempt, `refs/heads/${branch}`);
  if (typeof named === 'object') return { commit: named.commit, branch };
  return { commit: await cloneAllBranches(attempt), branch: null };
}

/** Fetches one commit into a repository that we created, or returns why `git clone` is needed instead. */
async function fetchRef(
  { transfer, directory, depth }: CloneAttempt,
  ref: string,
): Promise<{ commit: string | null } | 'no_head' | 'other_object_names'> {
  await createBareRepository({ gitDirectory: directory });
  const into = ['--git-dir', directory, 'fetch', '--quiet', '--no-tags', '--no-auto-maintenance', ...depth];
  try {
    const printed = await transfer((url) => [...into, '--', url, ref]);
    return { commit: printed === null ? null : await readFetchedCommit(directory) };
  } catch (err) {
    const isUnresolved = isSecuError(err, 'head_unresolved');
    if (!isUnresolved && !isOtherObjectNames(err)) throw err;
    await rm(directory, { recursive: true, force: true });
    return isUnresolved ? 'no_head' : 'other_object_names';
  }
}

function isOtherObjectNames(err: unknown): boolean {
  return isSecuError(err, 'clone_failed') && err.details['problem'] === 'other_object_names';
}

/** A repository whose objects have SHA-256 names: only `git clone` can fetch it. */
async function cloneOtherNames(attempt: CloneAttempt): Promise<ClonedHead> {
  const { directory, branch } = attempt;
  const commit = await gitClone(attempt, ['--single-branch']);
  if (commit !== null || branch === null) return { commit, branch: null };
  await rm(directory, { recursive: true, force: true });
  try {
    return { commit: await gitClone(attempt, ['--single-branch', '--branch', branch]), branch };
  } catch (err) {
    if (!isSecuError(err, 'head_unresolved')) throw err;
    return { commit: await cloneAllBranches(attempt), branch: null };
  }
}

/** Checks that the repository is empty. @throws SecuError `head_unresolved` if it has branches */
async function cloneAllBranches(attempt: CloneAttempt): Promise<null> {
  await gitClone(attempt, ['--no-single-branch']);
  if (!(await hasBranches(attempt.directory))) return null;
  throw refused({ code: 'head_unresolved', problem: 'no_head' });
}

async function gitClone(
  { transfer, directory, depth }: CloneAttempt,
  options: readonly string[],
): Promise<string | null> {
  const args = ['clone', '--quiet', '--bare', ...depth, ...options, '--no-tags'];
  const printed = await transfer((url) => [...args, '--', url, directory]);
  return printed === null ? null : provenHead(directory);
}

/** The head of a clone. A head without a commit counts only if the server spoke git's protocol. */
async function provenHead(directory: string): Promise<string | null> {
  const { commit, branch } = await localHead(directory);
  const isProven = commit !== null || branch !== NO_BRANCH || (await hasBranches(directory));
  if (!isProven) throw refused({ code: 'clone_failed', problem: 'not_git' });
  return commit;
}
