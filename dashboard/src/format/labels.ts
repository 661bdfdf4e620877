import type { Hue } from '../theme/tokens.ts';

/** What a value of the API is called on the page, and its colour. The word of the API is the word of the page. */
export interface Label {
  text: string;
  hue: Hue;
}

export const STATUS_LABELS: Record<'pending' | 'active' | 'invalid' | 'paused', Label> = {
  pending: { text: 'Checking', hue: 'info' },
  active: { text: 'Active', hue: 'ok' },
  invalid: { text: 'Invalid', hue: 'bad' },
  paused: { text: 'Paused', hue: 'neutral' },
};

export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof SEVERITIES)[number];
export const SEVERITY_LABELS: Record<Severity, Label & { letter: string }> = {
  critical: { text: 'Critical', hue: 'critical', letter: 'C' },
  high: { text: 'High', hue: 'high', letter: 'H' },
  medium: { text: 'Medium', hue: 'medium', letter: 'M' },
  low: { text: 'Low', hue: 'low', letter: 'L' },
};

/** Titles of causes. The advice comes from the server; a code without a title here is shown as it is. */
const CAUSE_TITLES: Record<string, string> = {
  token_expired: 'token expired',
  token_revoked: 'token revoked',
  token_rejected: 'token not known',
  token_scope_missing: 'scope missing',
  token_wrong_kind: 'wrong kind of token',
  account_blocked: 'account blocked',
  sso_session_required: 'single sign-on required',
  not_gitlab: 'not a GitLab API',
  rotation_lost: 'new token lost',
  gitlab_unreachable: 'GitLab unreachable',
  gitlab_tls_failed: 'certificate not trusted',
  gitlab_redirected: 'redirected elsewhere',
  gitlab_rate_limited: 'slowed down by GitLab',
  gitlab_reply_unreadable: 'answer not understood',
  token_in_use: 'already connected',
  origin_not_allowed: 'address not allowed',
  rotation_not_possible: 'cannot rotate itself',
  repository_gone: 'no longer at GitLab',
  repository_forbidden: 'may not be read',
  clone_failed: 'clone failed',
  clone_too_large: 'larger than the limit',
  clone_timed_out: 'clone took too long',
  scan_timed_out: 'scan took too long',
  scanner_crashed: 'a scanner failed',
  disk_low: 'disk nearly full',
  canceled: 'canceled',
  token_overprivileged: 'more power than needed',
  token_of_a_person: 'belongs to a person',
  no_repositories: 'reaches no repository',
  owner_changed: 'owner changed',
  reach_reduced: 'reaches less than before',
  reach_grown: 'reaches more than before',
};

export function causeTitle(code: string | null): string {
  return code === null ? 'unknown' : (CAUSE_TITLES[code] ?? code);
}

export const CHECK_TITLES: Record<string, string> = {
  origin: 'Address allowed',
  dns: 'Name resolves',
  tcp: 'Connects',
  tls: 'Certificate',
  gitlab: 'Is GitLab',
  token_shape: 'Token form',
  alive: 'Token is alive',
  owner: 'Owner',
  scopes: 'Permissions',
  expiry: 'Expiry',
  list: 'Can list',
  clone: 'Can clone',
  reach: 'Reach',
  rate_limit: 'Rate limit',
};

/** `1 repository`, `2 repositories`, `1,204 repositories`. */
export function formatCount(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}
