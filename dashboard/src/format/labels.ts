import type { Cause, CheckName, IntegrationStatus, Severity, TokenWarning } from '../api/types.ts';
import type { Hue } from '../theme/tokens.ts';

/** The text that the page shows for a value of the API, and its colour. */
export interface Label {
  text: string;
  hue: Hue;
}

export const STATUS_LABELS: Record<IntegrationStatus, Label> = {
  pending: { text: 'Checking', hue: 'info' },
  active: { text: 'Active', hue: 'ok' },
  invalid: { text: 'Invalid', hue: 'bad' },
  paused: { text: 'Paused', hue: 'neutral' },
};

export const SEVERITY_LABELS: Record<Severity, Label & { letter: string }> = {
  critical: { text: 'Critical', hue: 'critical', letter: 'C' },
  high: { text: 'High', hue: 'high', letter: 'H' },
  medium: { text: 'Medium', hue: 'medium', letter: 'M' },
  low: { text: 'Low', hue: 'low', letter: 'L' },
};
/** Most severe first. */
export const SEVERITIES = Object.keys(SEVERITY_LABELS) as Severity[];

/** Short titles; what to do about a cause is the `advice` that the API sends. */
const CAUSE_TITLES: Record<Cause | TokenWarning, string> = {
  token_expired: 'token expired',
  token_revoked: 'token revoked',
  token_rejected: 'unknown token',
  token_scope_missing: 'scope missing',
  token_wrong_kind: 'wrong kind of token',
  account_blocked: 'account blocked',
  sso_session_required: 'single sign-on required',
  not_gitlab: 'not a GitLab API',
  rotation_lost: 'new token lost',
  gitlab_unreachable: 'GitLab unreachable',
  gitlab_tls_failed: 'certificate not trusted',
  gitlab_redirected: 'unexpected redirect',
  gitlab_rate_limited: 'rate limited by GitLab',
  gitlab_reply_unreadable: 'unreadable answer',
  brake_engaged: 'held back for review',
  origin_not_allowed: 'address not allowed',
  repository_gone: 'repository not found',
  repository_forbidden: 'access denied',
  repository_redirected: 'unexpected redirect',
  head_unresolved: 'default branch not found',
  object_malformed: 'malformed git object',
  too_many_files: 'too many files',
  gateway_failed: 'gateway error',
  clone_failed: 'clone failed',
  clone_too_large: 'repository too large',
  clone_timed_out: 'clone timed out',
  scan_timed_out: 'scan timed out',
  scanner_crashed: 'scanner failed',
  disk_low: 'disk almost full',
  canceled: 'canceled',
  token_overprivileged: 'too many permissions',
  token_of_a_person: 'personal account',
  no_repositories: 'no repositories',
  owner_changed: 'owner changed',
  reach_reduced: 'fewer repositories',
  reach_grown: 'more repositories',
  nothing_clonable: 'no repository can be cloned',
};

/** A code without a title, such as an error code of the API, is shown as it is. */
export function causeTitle(code: string | null): string {
  if (code === null) return 'unknown';
  return hasTitle(code) ? CAUSE_TITLES[code] : code;
}

function hasTitle(code: string): code is keyof typeof CAUSE_TITLES {
  return Object.hasOwn(CAUSE_TITLES, code);
}

/** Checks of a dry run, in the order in which they run. */
export const CHECK_TITLES: Record<CheckName, string> = {
  origin: 'Address allowed',
  dns: 'DNS lookup',
  tcp: 'Connection',
  tls: 'TLS certificate',
  gitlab: 'GitLab API',
  token_shape: 'Token format',
  alive: 'Token works',
  owner: 'Owner',
  scopes: 'Scopes',
  expiry: 'Expiry',
  list: 'List repositories',
  clone: 'Clone',
  reach: 'Repositories',
  rate_limit: 'Rate limit',
};
export const CHECK_NAMES = Object.keys(CHECK_TITLES) as CheckName[];

/** `1 repository`, `2 repositories`, `1,204 repositories`. */
export function formatCount(n: number, singular: string, plural = `${singular}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? singular : plural}`;
}

export function capitalize(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
