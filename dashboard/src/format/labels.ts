import { CAUSE_TEXTS } from '../../../src/domain/causes.ts';
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

/** Titles of what is no cause of `src/domain/causes.ts`. */
const OTHER_TITLES: Record<Exclude<Cause, keyof typeof CAUSE_TEXTS> | TokenWarning, string> = {
  brake_engaged: 'held back for review',
  origin_not_allowed: 'address not allowed',
  token_overprivileged: 'too many permissions',
  token_of_a_person: 'personal account',
  no_repositories: 'no repositories',
  owner_changed: 'owner changed',
  reach_reduced: 'fewer repositories',
  reach_grown: 'more repositories',
  history_unread: 'some commits could not be read',
  more_findings: 'more findings than are stored',
  nothing_clonable: 'no repository can be cloned',
};

/** The short title of a cause or warning. A code without one, such as an error code of the API, is shown as it is. */
export function causeTitle(code: string | null): string {
  if (code === null) return 'unknown';
  if (isKeyOf(CAUSE_TEXTS, code)) return CAUSE_TEXTS[code].title;
  return isKeyOf(OTHER_TITLES, code) ? OTHER_TITLES[code] : code;
}

function isKeyOf<T extends object>(table: T, key: string): key is keyof T & string {
  return Object.hasOwn(table, key);
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
