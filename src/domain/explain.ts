import type { Exclusion, ListedRepository, RepositoryState } from './repository.ts';

export const EXPLAIN_REASONS = [
  'not_visible',
  'not_a_member',
  'access_too_low',
  'archived',
  'filter',
  'fork',
  'personal',
  'pending_deletion',
  'repository_disabled',
  'empty',
  'missing',
  'brake_engaged',
  'not_synced_yet',
  'token_scope_missing',
] as const;
export type ExplainReason = (typeof EXPLAIN_REASONS)[number];

/** What GitLab shows of one project to the token. */
export type Located =
  | { kind: 'not_visible' }
  /** `role` of the token owner in the project: Reporter or above, a member below Reporter, or no member. */
  | { kind: 'visible'; repository: ListedRepository; role: 'reads' | 'too_low' | 'none' };

export interface Explanation {
  path: string;
  /** True when the repository is scanned, or would be if it had commits. */
  listed: boolean;
  /** Why it is not scanned; `null` when it is. */
  reason: ExplainReason | null;
  detail: string;
}

/** What the database knows about a path. */
export interface KnownRepository {
  fullPath: string;
  state: RepositoryState;
  excludedBecause: Exclusion | null;
  /** The last complete listing did not contain it, and the brake keeps it. */
  held: boolean;
}

const DETAILS: Record<ExplainReason, string> = {
  not_visible:
    'GitLab does not show this project to the token: no project has this path, or the token owner cannot see it.',
  not_a_member:
    'The project is visible, but the token owner is not a member of it or of its groups. Secu lists only memberships: add the owner as Reporter.',
  access_too_low: 'The token owner is a member with a role below Reporter, which cannot read code.',
  archived: 'The project is archived. Include archived projects in the filters to scan it.',
  filter: 'The include and exclude filters of this integration exclude it.',
  fork: 'The project is a fork, and the filters exclude forks.',
  personal: 'The project is in a personal namespace, and the filters exclude personal projects.',
  pending_deletion: 'The project is marked for deletion in GitLab.',
  repository_disabled: 'The repository feature of this project is disabled in GitLab.',
  empty: 'The repository is listed but has no commits yet, so there is nothing to scan.',
  missing:
    'The last complete listing did not contain it. It is removed if the next one does not contain it either.',
  brake_engaged:
    'The last listing did not contain it, and the brake holds the removal back because too many would be removed at once. Check the sync.',
  not_synced_yet: 'The token can read it. The next sync will list it.',
  token_scope_missing:
    'The token is not allowed to list projects. Replace it with one that has read_api and read_repository.',
};

function explained(path: string, listed: boolean, reason: ExplainReason): Explanation {
  return { path, listed, reason, detail: DETAILS[reason] };
}

/** Explains a known repository from the database; `null` when GitLab has to be asked. */
export function explainKnown(known: KnownRepository | null): Explanation | null {
  if (known === null) return null;
  const { fullPath, state, excludedBecause, held } = known;
  switch (state) {
    case 'active':
      return held
        ? explained(fullPath, true, 'brake_engaged')
        : { path: fullPath, listed: true, reason: null, detail: 'The repository is listed and scanned.' };
    case 'empty':
      return explained(fullPath, true, 'empty');
    case 'excluded':
      return explained(fullPath, false, excludedBecause ?? 'filter');
    case 'missing':
      return explained(fullPath, false, 'missing');
    case 'removed':
      return null;
  }
}

/** Explains a repository that is not in the database. */
export function explainLocated(path: string, located: Located): Explanation {
  if (located.kind === 'not_visible') return explained(path, false, 'not_visible');
  const { fullPath } = located.repository;
  switch (located.role) {
    case 'none':
      return explained(fullPath, false, 'not_a_member');
    case 'too_low':
      return explained(fullPath, false, 'access_too_low');
    case 'reads':
      return explained(fullPath, false, 'not_synced_yet');
  }
}

/** Explains any path while there is no complete listing yet. */
export function explainUnlisted(path: string, reason: 'not_synced_yet' | 'token_scope_missing'): Explanation {
  const detail =
    reason === 'not_synced_yet'
      ? 'No sync has completed yet; ask again after the first one.'
      : DETAILS[reason];
  return { path, listed: false, reason, detail };
}
