import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSecuError } from '../domain/errors.ts';
import type { BranchTip, CloneResult, GitRemote } from '../domain/ports.ts';
import type { ScanHistory } from '../domain/scan.ts';
import { createBareRepository } from '../subprocess/bare-repository.ts';
import { NO_FENCE } from '../subprocess/process.ts';
import type { Sandbox } from '../subprocess/sandbox.ts';
import type { CallSettings } from './call.ts';
import { callGit, refused } from './call.ts';
import { NO_BRANCH } from './config.ts';
import { readFetched } from './fetch-head.ts';
import { folderBytes, watchFolder } from './folder-size.ts';
import { hasBranches, localBranches, localHead } from './local-head.ts';
import { findNewCommits, UNREADABLE_CLONE } from './new-commits.ts';
import type { Refusal } from './refusals.ts';

const BRANCH_GONE: Refusal = { code: 'clone_failed', problem: 'branch_gone' };
const TOO_LARGE: Refusal = { code: 'clone_too_large', problem: 'size' };
/** A name that git allows and that is safe as one argument. @see git-check-ref-format(1) */
const BRANCH_NAME = /^(?!-)(?!.*(?:\.\.|\/\/|@\{|\.lock(?:\/|$)|\/$|\.$))[^\p{Cc}\p{Z}~^:?*[\\]{1,255}$/u;

/**
 * The depths of successive fetches, until the clone holds all new commits; then the whole history is fetched. Most scans
 * find fewer new commits than the first depth.
 */
const DEPTHS = [32, 512, 8_192];
/** The refs that a deeper fetch continues from. */
const FETCHED_HEAD = 'refs/fetched/head';

export interface CloneLimits {
  cloneTimeoutMs: number;
  cloneMaxBytes: number;
}

/** Clones a repository as `GitRemote.clone` describes. Leaves nothing in `directory` when it fails. */
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
  const { directory, history, known = [], branches = [], defaultBranch, signal } = repository;
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
  const sandbox = settings.sandbox;
  const attempt = {
    transfer,
    sandbox,
    directory,
    history,
    known,
    branches,
    branch: branchOf(defaultBranch),
    signal,
  };
  try {
    const cloned = await cloneHead(attempt);
    const isWhole = cloned.commit !== null && !existsSync(join(directory, 'shallow'));
    const bytes = await folderBytes(directory);
    if (bytes > maxBytes) throw refused(TOO_LARGE);
    return {
      ...cloned,
      isWhole,
      gitDirectory: directory,
      bytes,
      ms: Math.round(performance.now() - startedAt),
    };
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
  sandbox: Sandbox | null;
  directory: string;
  history: ScanHistory;
  known: readonly string[];
  /** In addition to the default branch. */
  branches: readonly string[];
  /** The default branch as GitLab names it. */
  branch: string | null;
  signal: AbortSignal;
}

type ClonedRefs = Pick<CloneResult, 'commit' | 'branch' | 'tips' | 'history' | 'continues'>;

const NO_COMMIT = { commit: null, tips: [], continues: [] };

/**
 * The commit of HEAD. If HEAD names no commit, the commit of the branch that GitLab names.
 * @throws SecuError `head_unresolved` if neither exists and the repository has branches
 */
async function cloneHead(attempt: CloneAttempt): Promise<ClonedRefs> {
  const { branch, history } = attempt;
  const head = await fetchRef(attempt, 'HEAD');
  if (typeof head === 'object') return { ...head, branch: null };
  if (head === 'other_object_names') return cloneSha256Repository(attempt);
  const named = branch === null ? head : await fetchRef(attempt, `refs/heads/${branch}`);
  if (typeof named === 'object') return { ...named, branch };
  await assertNoBranches(attempt);
  return { ...NO_COMMIT, branch: null, history };
}

/**
 * Fetches this ref and the other watched branches into a new repository.
 * @returns why it could not: HEAD names no commit, or only `git clone` can read the object names
 */
async function fetchRef(
  attempt: CloneAttempt,
  ref: string,
): Promise<Omit<ClonedRefs, 'branch'> | 'no_head' | 'other_object_names'> {
  const { directory, history } = attempt;
  await createBareRepository({ gitDirectory: directory });
  try {
    if (history === 'since') return await fetchSince(attempt, ref);
    const fetched = await fetchAtDepth(attempt, ref, history === 'none' ? 1 : null);
    return fetched === null ? { ...NO_COMMIT, history } : { ...fetched, history, continues: [] };
  } catch (err) {
    const isUnresolved = isSecuError(err, 'head_unresolved');
    if (!isUnresolved && !isOtherObjectNames(err)) throw err;
    // HEAD exists, so another branch is gone since it was listed
    if (isUnresolved && ref === 'HEAD' && err.details['problem'] === 'no_branch') throw refused(BRANCH_GONE);
    await rm(directory, { recursive: true, force: true });
    return isUnresolved ? 'no_head' : 'other_object_names';
  }
}

/**
 * Fetches the commits that the known ones do not reach. The needed depth is unknown, because a merged branch may have
 * begun long before the last scan, so each fetch is deeper until the clone is proved complete.
 */
async function fetchSince(attempt: CloneAttempt, ref: string): Promise<Omit<ClonedRefs, 'branch'>> {
  for (const depth of [...DEPTHS, null]) {
    const fetched = await fetchAtDepth(attempt, ref, depth);
    if (fetched === null) return { ...NO_COMMIT, history: 'since' };
    const { isComplete, continues } = await newCommitsOf(attempt, fetched);
    // the last fetch gets all that the server has, which may itself lack older commits
    if (isComplete || depth === null)
      return { ...fetched, history: continues.length === 0 ? 'full' : 'since', continues };
  }
  throw refused(UNREADABLE_CLONE);
}

async function newCommitsOf(
  { sandbox, directory, known, signal }: CloneAttempt,
  { commit, tips }: { commit: string; tips: readonly BranchTip[] },
) {
  const all = [commit, ...tips.map((tip) => tip.commit)];
  const access = { network: false, writable: [], readable: [directory] };
  const fence = (await sandbox?.fenceFor(access)) ?? NO_FENCE;
  const found = await findNewCommits({ gitDirectory: directory, tips: all, known, fence, signal });
  if (found === null) throw refused(UNREADABLE_CLONE);
  return found;
}

/** `null` depth: the whole history, also of an earlier fetch. Resolves to `null` for a repository without commits. */
async function fetchAtDepth(
  { transfer, directory, history, branches }: CloneAttempt,
  ref: string,
  depth: number | null,
): Promise<{ commit: string; tips: BranchTip[] } | null> {
  const isShallow = existsSync(join(directory, 'shallow'));
  const depthOptions = depth === null ? (isShallow ? ['--unshallow'] : []) : ['--depth', String(depth)];
  const options = ['--quiet', '--no-tags', '--no-auto-maintenance', ...depthOptions];
  const refspecOf = (name: string, local: string) => (history === 'since' ? `+${name}:${local}` : name);
  const refs = [
    refspecOf(ref, FETCHED_HEAD),
    ...branches.map((name) => refspecOf(`refs/heads/${name}`, `refs/heads/${name}`)),
  ];
  const printed = await transfer((url) => ['--git-dir', directory, 'fetch', ...options, '--', url, ...refs]);
  if (printed === null) return null;
  const fetched = await readFetched(directory);
  if (fetched.tips.length !== branches.length) throw refused(BRANCH_GONE);
  return fetched;
}

function isOtherObjectNames(err: unknown): boolean {
  return isSecuError(err, 'clone_failed') && err.details['problem'] === 'other_object_names';
}

/**
 * A repository whose objects have SHA-256 names: only `git clone` can fetch it. With `since`, it fetches the whole
 * history.
 */
async function cloneSha256Repository(attempt: CloneAttempt): Promise<ClonedRefs> {
  const { directory, branch, branches, history } = attempt;
  const branchOptions = branches.length === 0 ? ['--single-branch'] : ['--no-single-branch'];
  let commit = await gitClone(attempt, branchOptions);
  let named: string | null = null;
  if (commit === null && branch !== null) {
    await rm(directory, { recursive: true, force: true });
    named = branch;
    commit = await gitClone(attempt, [...branchOptions, '--branch', branch]).catch(async (err: unknown) => {
      if (!isSecuError(err, 'head_unresolved')) throw err;
      await assertNoBranches(attempt);
      return null;
    });
  }
  if (commit === null) return { ...NO_COMMIT, branch: null, history };
  const heads = branches.length === 0 ? new Map<string, string>() : await localBranches(directory);
  const tips = branches.map((name): BranchTip => {
    const tip = heads.get(name);
    if (tip === undefined) throw refused(BRANCH_GONE);
    return { name, commit: tip };
  });
  const cloned = { commit, tips, branch: named };
  if (history !== 'since') return { ...cloned, history, continues: [] };
  const { continues } = await newCommitsOf(attempt, cloned);
  return { ...cloned, history: continues.length === 0 ? 'full' : 'since', continues };
}

/** Checks that the repository is empty. @throws SecuError `head_unresolved` if it has branches */
async function assertNoBranches(attempt: CloneAttempt): Promise<void> {
  await rm(attempt.directory, { recursive: true, force: true });
  await gitClone(attempt, ['--no-single-branch']);
  if (await hasBranches(attempt.directory)) throw refused({ code: 'head_unresolved', problem: 'no_head' });
}

async function gitClone(
  { transfer, directory, history }: CloneAttempt,
  options: readonly string[],
): Promise<string | null> {
  const depth = history === 'none' ? ['--depth', '1'] : [];
  const args = ['clone', '--quiet', '--bare', ...depth, ...options, '--no-tags'];
  const printed = await transfer((url) => [...args, '--', url, directory]);
  return printed === null ? null : readProvenHead(directory);
}

/** The head of a clone. It may lack a commit only if the server spoke git's protocol. */
async function readProvenHead(directory: string): Promise<string | null> {
  const { commit, branch } = await localHead(directory);
  const isProven = commit !== null || branch !== NO_BRANCH || (await hasBranches(directory));
  if (!isProven) throw refused({ code: 'clone_failed', problem: 'not_git' });
  return commit;
}
