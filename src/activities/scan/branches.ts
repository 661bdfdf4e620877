import { globMatcher } from '../../domain/filters.ts';
import type { Branches } from '../../domain/integration.ts';
import type { BranchTip, GitRemote, RemoteRepository } from '../../domain/ports.ts';
import type { GitlabApi } from '../../gitlab/client.ts';

/** More watched branches than this are too many for one command line of git. */
export const MAX_BRANCHES = 1_000;

export interface WatchedBranches {
  /** The commit of the default branch; `null` if it has none. */
  head: string | null;
  /** In addition to the default branch, by name. */
  tips: BranchTip[];
  /** Whether there are more branches than are watched. */
  hasMore: boolean;
}

/**
 * The branches of a repository that are scanned for secrets in addition to the default branch, as they are now.
 * @throws as `GitRemote`, `GitlabApi`
 */
export async function watchedBranches(input: {
  branches: Branches;
  git: GitRemote;
  api: GitlabApi;
  repository: RemoteRepository & { gitlabProjectId: number };
}): Promise<WatchedBranches> {
  const { git, repository } = input;
  const isWatched = await watchedNames(input);
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

async function watchedNames({
  branches,
  api,
  repository,
}: Parameters<typeof watchedBranches>[0]): Promise<(name: string) => boolean> {
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
