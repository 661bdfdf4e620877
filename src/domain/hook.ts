import { globMatcher } from './filters.ts';
import type { Branches } from './integration.ts';
import type { RepositoryState } from './repository.ts';
import type { SealContext } from './sealed-secret.ts';

export const HOOK_STATES = ['none', 'receiving', 'silent'] as const;
export type HookState = (typeof HOOK_STATES)[number];

/** What a webhook hints at. It is never the truth: it only says where to look. */
export interface HookHint {
  /** `commits`: in this project. `listing`: projects were added or changed. `removal`: the project is gone. */
  kind: 'commits' | 'listing' | 'removal' | 'nothing';
  gitlabProjectId: number | null;
  /** The full name of the pushed ref, such as `refs/heads/main`. */
  ref: string | null;
  /** The default branch, as the hook names it. */
  defaultBranch: string | null;
}

/** `sync`: list the active projects soon. `sync_rarely`: the same, for what is probably not ours. */
export type HookAction = 'scan' | 'sync' | 'sync_rarely' | 'require_full_sync' | 'nothing';

/** More hints than this in a minute are answered by one sync, which finds all active projects. */
export const MAX_HINTS_PER_MINUTE = 600;
/** Hints of the same moment lead to one sync. */
export const HOOK_SYNC_DELAY_MS = 5_000;
/** The minimum time between two syncs that hints ask for. */
export const HOOK_SYNC_GAP_MS = {
  sync: 60_000,
  // a system hook announces every push of the instance, also to projects that the token cannot read
  sync_rarely: 10 * 60_000,
} as const;

/** Hooks that stop for this long while polling finds new commits are silent. */
const SILENT_AFTER_MS = 24 * 3_600_000;

/** Binds the sealed hook token to its integration. */
export function hookTokenSealContext(input: { integrationId: string; version: number }): SealContext {
  return { table: 'hook_receiver', rowId: input.integrationId, version: input.version };
}

/** What a hint leads to. */
export function hookActionFor(input: {
  hint: HookHint;
  repository: { state: RepositoryState; defaultBranch: string | null; branches: Branches } | null;
  hintsInMinute: number;
}): HookAction {
  const { hint, repository, hintsInMinute } = input;
  if (hint.kind === 'nothing') return 'nothing';
  if (hintsInMinute > MAX_HINTS_PER_MINUTE) return 'sync';
  switch (hint.kind) {
    case 'listing':
      return 'sync';
    case 'removal':
      // only a complete listing may take a repository away
      return repository === null || repository.state === 'removed' ? 'nothing' : 'require_full_sync';
    case 'commits':
      if (repository === null || repository.state === 'removed') return 'sync_rarely';
      if (repository.state === 'excluded') return 'nothing';
      // an empty repository has its first commits, a missing one is back
      if (repository.state !== 'active') return 'sync';
      return isUnwatched(hint, repository) ? 'nothing' : 'scan';
  }
}

const BRANCH_PREFIX = 'refs/heads/';

/**
 * Whether the pushed branch is certainly not scanned. In doubt it counts as watched; head checks and syncs do not rely
 * on this.
 */
function isUnwatched(
  { ref, defaultBranch: named }: HookHint,
  { defaultBranch, branches }: { defaultBranch: string | null; branches: Branches },
): boolean {
  if (ref?.startsWith(BRANCH_PREFIX) !== true || defaultBranch === null) return false;
  const branch = ref.slice(BRANCH_PREFIX.length);
  if (branch === defaultBranch || (named !== null && named !== defaultBranch)) return false;
  switch (branches.mode) {
    case 'default':
      return true;
    case 'globs':
      return !branches.globs.some((glob) => globMatcher(glob)(branch));
    case 'all':
    case 'protected':
      return false;
  }
}

/** `silent`: hooks were received before, none for a day, and polling found commits in that time. */
export function hookState(input: {
  lastAt: Date | null;
  /** Since the last hook, polling found new commits in a repository that hooks used to announce. */
  hasMissedCommits: boolean;
  now: Date;
}): HookState {
  if (input.lastAt === null) return 'none';
  return input.hasMissedCommits && input.lastAt <= silentSince(input.now) ? 'silent' : 'receiving';
}

/** Hooks of which the last is older than this may be silent. */
export function silentSince(now: Date): Date {
  return new Date(now.getTime() - SILENT_AFTER_MS);
}
