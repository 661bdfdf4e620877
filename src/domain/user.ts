/**
 * Every role: its rank, which includes the rights of all lower ranks (0 = none of them), whether people can have it, and
 * the prefix of API keys that have it, by which scanners and people recognize a key.
 */
export const ROLES = {
  viewer: { rank: 1, forPeople: true, keyPrefix: 'secu_' },
  operator: { rank: 2, forPeople: true, keyPrefix: 'secu_' },
  admin: { rank: 3, forPeople: true, keyPrefix: 'secu_' },
  calendar: { rank: 0, forPeople: false, keyPrefix: 'secu_cal_' },
  metrics: { rank: 0, forPeople: false, keyPrefix: 'secu_' },
} as const satisfies Record<string, { rank: number; forPeople: boolean; keyPrefix: string }>;
export type ApiKeyRole = keyof typeof ROLES;
export type UserRole = {
  [Role in ApiKeyRole]: (typeof ROLES)[Role]['forPeople'] extends true ? Role : never;
}[ApiKeyRole];

export const API_KEY_ROLES = Object.keys(ROLES) as [ApiKeyRole, ...ApiKeyRole[]];
/** Ascending by rank. */
export const USER_ROLES = API_KEY_ROLES.filter(isUserRole) as [UserRole, ...UserRole[]];

function isUserRole(role: ApiKeyRole): role is UserRole {
  return ROLES[role].forPeople;
}

/** Who authenticates a person: Secu with a password, or the single sign-on provider. */
export type UserSource = 'local' | 'oidc';

export const MIN_PASSWORD_CHARACTERS = 12;
export const MAX_PASSWORD_CHARACTERS = 256;
const MIN_DIFFERENT_CHARACTERS = 5;

/**
 * What is wrong with a new password, as a verb phrase ("has fewer than 12 characters"); `null` when it is
 * acceptable. Length counts, not character classes.
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
    return `has fewer than ${MIN_PASSWORD_CHARACTERS} characters`;
  if (characters.length > MAX_PASSWORD_CHARACTERS)
    return `has more than ${MAX_PASSWORD_CHARACTERS} characters`;
  if (new Set(characters).size < MIN_DIFFERENT_CHARACTERS)
    return `has fewer than ${MIN_DIFFERENT_CHARACTERS} different characters`;
  const name = username.normalize('NFKC').toLowerCase();
  const rest = name === '' ? characters.join('') : characters.join('').replaceAll(name, '');
  return rest.length < MIN_DIFFERENT_CHARACTERS ? 'is too similar to the user name' : null;
}

/** The highest role that these groups map to; `null` when none maps. */
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

/** A session ends after this idle time, and at the latest 12 hours after sign-in. */
export const SESSION_IDLE_MS = 30 * 60_000;
export const SESSION_MAX_MS = 12 * 3_600_000;

/** How long a setup code is valid. */
export const SETUP_CODE_MS = 15 * 60_000;

/** Failed sign-ins without a pause, the pause after further ones, and when the count is reset. */
export interface ThrottleRule {
  freeAttempts: number;
  firstPauseMs: number;
  maxPauseMs: number;
  forgottenAfterMs: number;
}

/** Per account, from any address: about a hundred guesses a day. */
export const ACCOUNT_THROTTLE: ThrottleRule = {
  freeAttempts: 5,
  firstPauseMs: 1_000,
  maxPauseMs: 15 * 60_000,
  forgottenAfterMs: 24 * 3_600_000,
};

/** Refused webhooks, per address. Accepted ones never wait: all customers of one GitLab share its addresses. */
export const HOOK_THROTTLE: ThrottleRule = {
  freeAttempts: 60,
  firstPauseMs: 1_000,
  maxPauseMs: 60_000,
  forgottenAfterMs: 3_600_000,
};

/** Per address, for any account. Many people may share an address. */
export const ADDRESS_THROTTLE: ThrottleRule = {
  freeAttempts: 30,
  firstPauseMs: 1_000,
  maxPauseMs: 15 * 60_000,
  forgottenAfterMs: 3_600_000,
};
