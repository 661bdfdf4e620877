import type { User } from '../../../api/types.ts';

type UserFacts = Pick<User, 'role' | 'source'>;

/** Why the role or password of a user cannot be changed, or the user not be removed; `null` where it can. */
export function userRestrictions(user: UserFacts, all: readonly UserFacts[]) {
  const isLastAdmin = user.role === 'admin' && all.filter(({ role }) => role === 'admin').length === 1;
  const lastAdmin = isLastAdmin ? 'last administrator' : null;
  const external = user.source === 'oidc' ? 'managed by single sign-on' : null;
  return { role: external ?? lastAdmin, password: external, remove: lastAdmin };
}
