interface UserFacts {
  role: string;
  source: 'local' | 'oidc';
}

/** Why a person cannot be changed or removed here; `null` where nothing stands against it. */
export function userRestrictions(user: UserFacts, all: readonly UserFacts[]) {
  const isLast = user.role === 'admin' && all.filter(({ role }) => role === 'admin').length === 1;
  const last = isLast ? 'the last administrator' : null;
  const elsewhere = user.source === 'oidc' ? 'comes by single sign-on' : null;
  return { role: elsewhere ?? last, password: elsewhere, remove: last };
}
