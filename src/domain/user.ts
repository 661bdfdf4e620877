/** What people may do; API keys have these roles too, and two narrower ones. */
export const USER_ROLES = ['viewer', 'operator', 'admin'] as const;
export type UserRole = (typeof USER_ROLES)[number];

/** Who vouches for a person: a password kept here, or the provider of single sign-on. */
export type UserSource = 'local' | 'oidc';

export const MIN_PASSWORD_CHARACTERS = 12;
export const MAX_PASSWORD_CHARACTERS = 256;
const MIN_DIFFERENT_CHARACTERS = 5;

/**
 * What is wrong with a new password, as the second half of a sentence that begins with its name; `null` for nothing.
 * Length counts, not kinds of characters.
 * @see NIST SP 800-63B-4, section 3.1.1.2
 */
export function passwordProblem({
  username,
  password,
}: {
  username: string;
  password: string;
}): string | null {
  const characters = Array.from(password.normalize('NFKC').toLowerCase());
  if (characters.length < MIN_PASSWORD_CHARACTERS)
    return `has less than ${MIN_PASSWORD_CHARACTERS} characters`;
  if (characters.length > MAX_PASSWORD_CHARACTERS)
    return `has more than ${MAX_PASSWORD_CHARACTERS} characters`;
  if (new Set(characters).size < MIN_DIFFERENT_CHARACTERS)
    return `has less than ${MIN_DIFFERENT_CHARACTERS} different characters`;
  const name = username.normalize('NFKC').toLowerCase();
  const rest = name === '' ? characters.join('') : characters.join('').replaceAll(name, '');
  return rest.length < MIN_DIFFERENT_CHARACTERS ? 'is little more than the user name' : null;
}

/** The highest role that these groups map to, or `null` when none does. */
export function roleOfGroups({
  groups,
  roleMap,
}: {
  groups: readonly string[];
  roleMap: Readonly<Record<string, UserRole>>;
}): UserRole | null {
  const roles = groups.flatMap((group) => (Object.hasOwn(roleMap, group) ? [roleMap[group]] : []));
  return USER_ROLES.findLast((role) => roles.includes(role)) ?? null;
}

/** Until when a session lives: it ends when nobody used it for a while, and at the latest half a day after sign-in. */
export const SESSION_IDLE_MS = 30 * 60_000;
export const SESSION_MAX_MS = 12 * 3_600_000;

/** How long a set-up code can be used. */
export const SETUP_CODE_MS = 15 * 60_000;

/** Tries to sign in that are taken without a pause, then how the pause grows, and when all is forgotten. */
export interface ThrottleRule {
  freeAttempts: number;
  firstPauseMs: number;
  maxPauseMs: number;
  forgottenAfterMs: number;
}

/** One account, from anywhere. Whoever guesses has about a hundred tries a day. */
export const ACCOUNT_THROTTLE: ThrottleRule = {
  freeAttempts: 5,
  firstPauseMs: 1_000,
  maxPauseMs: 15 * 60_000,
  forgottenAfterMs: 24 * 3_600_000,
};

/** One address, for any account: many people may share it. */
export const ADDRESS_THROTTLE: ThrottleRule = {
  freeAttempts: 30,
  firstPauseMs: 1_000,
  maxPauseMs: 15 * 60_000,
  forgottenAfterMs: 3_600_000,
};
