import { pathFilter } from './filters.ts';
import type { Filters } from './integration.ts';

export const REPOSITORY_STATES = ['active', 'excluded', 'empty', 'missing', 'removed'] as const;
export type RepositoryState = (typeof REPOSITORY_STATES)[number];

export const EXCLUSIONS = [
  'archived',
  'filter',
  'fork',
  'personal',
  'pending_deletion',
  'repository_disabled',
  'access_too_low',
] as const;
export type Exclusion = (typeof EXCLUSIONS)[number];

/** One repository as GitLab lists it, in Secu's terms. */
export interface ListedRepository {
  gitlabProjectId: number;
  fullPath: string;
  defaultBranch: string | null;
  visibility: string;
  lastActivityAt: string | null;
  empty: boolean;
  archived: boolean;
  fork: boolean;
  personal: boolean;
  pendingDeletion: boolean;
  repositoryDisabled: boolean;
}

/** Decides the state of a listed repository, and why it is excluded. */
export function classifierFor(
  filters: Filters,
): (repository: ListedRepository) => { state: RepositoryState; excludedBecause: Exclusion | null } {
  const isSelected = pathFilter(filters);
  return (repository) => {
    const excludedBecause = exclusionOf({ repository, filters, isSelected: isSelected });
    if (excludedBecause !== null) return { state: 'excluded', excludedBecause };
    return { state: repository.empty ? 'empty' : 'active', excludedBecause: null };
  };
}

function exclusionOf(input: {
  repository: ListedRepository;
  filters: Filters;
  isSelected: (path: string) => boolean;
}): Exclusion | null {
  const { repository, filters } = input;
  if (repository.pendingDeletion) return 'pending_deletion';
  if (repository.repositoryDisabled) return 'repository_disabled';
  if (repository.archived && !filters.archived) return 'archived';
  if (repository.fork && !filters.forks) return 'fork';
  if (repository.personal && !filters.personal) return 'personal';
  return input.isSelected(repository.fullPath) ? null : 'filter';
}

const BRAKE_SHARE = 0.2;
const BRAKE_COUNT = 10;
/** Small integrations: from two repositories on, when they are half of all that is known. */
const BRAKE_SMALL_SHARE = 0.5;
const BRAKE_SMALL_COUNT = 2;

/**
 * The brake holds back a complete listing that would remove more than 20 % and more than 10 of the known
 * repositories, or half of them and at least two, until a person accepts it or the next two listings agree.
 */
export function brakeEngages({ known, vanished }: { known: number; vanished: number }): boolean {
  const isMany = vanished > BRAKE_COUNT && vanished > known * BRAKE_SHARE;
  return isMany || isHalf({ known, vanished });
}

function isHalf({ known, vanished }: { known: number; vanished: number }): boolean {
  return vanished >= BRAKE_SMALL_COUNT && vanished >= known * BRAKE_SMALL_SHARE;
}

/**
 * A listing without most of the known repositories is not trusted at once, even where GitLab answers 404 for each of
 * them: they are missing first, and removed when a later listing agrees.
 */
export function removesAtOnce({ known, vanished }: { known: number; vanished: number }): boolean {
  return vanished < known * BRAKE_SMALL_SHARE;
}

/** How many listings in a row must agree before a held-back removal is applied without a person. */
export const BRAKE_AGREEING_LISTINGS = 3;
