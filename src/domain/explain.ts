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

/** What GitLab shows the token of one project. */
export type Located =
  | { kind: 'not_visible' }
  /** `role`: what the owner of the token is there: Reporter or above, a member below that, or none. */
  | { kind: 'visible'; repository: ListedRepository; role: 'reads' | 'too_low' | 'none' };

export interface Explanation {
  path: string;
  /** Is it scanned, or would be if it held anything? */
  listed: boolean;
  /** `null` where nothing keeps it away. */
  reason: ExplainReason | null;
  detail: string;
}

/** What our rows know of a path. */
export interface KnownRepository {
  fullPath: string;
  state: RepositoryState;
  excludedBecause: Exclusion | null;
  /** The last complete listing did not name it, and the brake keeps it. */
  held: boolean;
}

const DETAILS: Record<ExplainReason, string> = {
  not_visible:
    'GitLab does not show this project to the token: it does not exist under this path, or the owner of the token may not see it.',
  not_a_member:
    'The project is visible, but the owner of the token is no member of it or its groups. Only memberships are listed: add it as Reporter.',
  access_too_low: 'The owner of the token is a member with a role below Reporter, which may not read code.',
  archived: 'The project is archived. Allow archived ones in the filters to scan it.',
  filter: 'The include and exclude filters of this integration leave it out.',
  fork: 'The project is a fork, and the filters leave forks out.',
  personal: 'The project is in a personal namespace, and the filters leave those out.',
  pending_deletion: 'The project is marked for deletion at GitLab.',
  repository_disabled: 'The repository of this project is switched off at GitLab.',
  empty: 'It is listed, and holds no commit yet: there is nothing to scan.',
  missing: 'The last complete listing did not name it any more. A second one without it removes it.',
  brake_engaged:
    'The last listing did not name it, and the brake holds that back: too much would vanish at once. Look at the sync.',
  not_synced_yet: 'The token can read it. The next sync lists it.',
  token_scope_missing:
    'The token may not list projects. Replace it by one with read_api and read_repository.',
};

function explained(path: string, listed: boolean, reason: ExplainReason): Explanation {
  return { path, listed, reason, detail: DETAILS[reason] };
}

/** Why a repository that we know is not scanned. `null` where rows say nothing: GitLab has to be asked. */
export function explainKnown(known: KnownRepository | null): Explanation | null {
  if (known === null) return null;
  const { fullPath, state, excludedBecause, held } = known;
  switch (state) {
    case 'active':
      return held
        ? explained(fullPath, true, 'brake_engaged')
        : { path: fullPath, listed: true, reason: null, detail: 'It is listed and scanned.' };
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

/** Why a repository that no row holds is not listed. */
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

/** Before the first listing nothing can be known, and a token that may not list never gets there. */
export function explainUnlisted(path: string, reason: 'not_synced_yet' | 'token_scope_missing'): Explanation {
  const detail =
    reason === 'not_synced_yet' ? 'No sync has ended yet; ask again after the first one.' : DETAILS[reason];
  return { path, listed: false, reason, detail };
}
