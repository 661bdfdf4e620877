import { globMatcher } from '../../domain/filters.ts';
import type { Branches } from '../../domain/integration.ts';
import type { BranchTip, GitRemote, RemoteRepository } from '../../domain/ports.ts';
import type { GitlabApi } from '../../gitlab/client.ts';

/** Limit of the branches in one git command line. */
export const MAX_BRANCHES = 1_000;

export interface WatchedBranches {
  /** The commit of the default branch; `null` = the branch has no commit. */
  head: string | null;
  /** Watched branches except the default branch, sorted by name. */
  tips: BranchTip[];
  /** Whether watched branches are left out, because of the limit or of their name. */
  hasMore: boolean;
}

/**
 * Reads from GitLab which branches are scanned for secrets in addition to the default branch, and their commits.
 * @throws as `GitRemote`, `GitlabApi`
 */
export async function listWatchedBranches(input: {
  branches: Branches;
  git: GitRemote;
  api: GitlabApi;
  repository: RemoteRepository & { gitlabProjectId: number };
}): Promise<WatchedBranches> {
  const { git, repository } = input;
  const filter = await createNameFilter(input);
  const listed = await git.listBranches(repository);
  const watched = listed.tips
    .filter(({ name }) => name !== repository.defaultBranch && filter.isWatched(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    head: listed.head,
    tips: watched.slice(0, MAX_BRANCHES),
    hasMore: !filter.isComplete || listed.hasUnusable || watched.length > MAX_BRANCHES,
  };
}

interface NameFilter {
  isWatched: (name: string) => boolean;
  /** False if GitLab did not say of each branch whether it is protected. */
  isComplete: boolean;
}

async function createNameFilter({
  branches,
  api,
  repository,
}: Parameters<typeof listWatchedBranches>[0]): Promise<NameFilter> {
  switch (branches.mode) {
    case 'default':
      return { isWatched: () => false, isComplete: true };
    case 'all':
      return { isWatched: () => true, isComplete: true };
    case 'globs': {
      const matchers = branches.globs.map(globMatcher);
      return { isWatched: (name) => matchers.some((matches) => matches(name)), isComplete: true };
    }
    case 'protected': {
      const { names, isComplete } = await api.protectedBranches(repository.gitlabProjectId, repository);
      return { isWatched: (name) => names.has(name), isComplete };
    }
  }
}
