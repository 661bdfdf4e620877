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
  const isWatched = await createNameFilter(input);
  const listed = await git.listBranches(repository);
  const watched = listed.tips
    .filter(({ name }) => name !== repository.defaultBranch && isWatched(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    head: listed.head,
    tips: watched.slice(0, MAX_BRANCHES),
    hasMore: listed.hasUnusable || watched.length > MAX_BRANCHES,
  };
}

async function createNameFilter({
  branches,
  api,
  repository,
}: Parameters<typeof listWatchedBranches>[0]): Promise<(name: string) => boolean> {
  switch (branches.mode) {
    case 'default':
      return () => false;
    case 'all':
      return () => true;
    case 'globs': {
      const matchers = branches.globs.map(globMatcher);
      return (name) => matchers.some((matches) => matches(name));
    }
    case 'protected': {
      const names = await api.protectedBranches(repository.gitlabProjectId, repository);
      return (name) => names.has(name);
    }
  }
}
