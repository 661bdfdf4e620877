/**
 * Rules about the expiry of tokens, in UTC days. GitLab reports a date; the token has expired from 00:00 UTC of that
 * day (GitLab docs, "Personal access tokens": tokens expire on that date at midnight UTC).
 */
const DAY_MS = 86_400_000;

/** When a token expires. `date` is `YYYY-MM-DD`; `unknown`: GitLab does not report it. */
export type Expiry = { kind: 'on'; date: string } | { kind: 'never' } | { kind: 'unknown' };

/** The date; `null` for never and unknown. */
export function expiryDate(expiry: Expiry): string | null {
  return expiry.kind === 'on' ? expiry.date : null;
}

/** From a field of GitLab: absent = unknown, null = never. */
export function expiryFrom(date: string | null | undefined): Expiry {
  if (date === undefined) return { kind: 'unknown' };
  return date === null ? { kind: 'never' } : { kind: 'on', date };
}

export type ExpiryState = 'never' | 'ok' | 'expiring' | 'expired' | 'unknown';

/** When a token with this `YYYY-MM-DD` expires, in ms since 1970. */
export function expiryMs(expiresAt: string): number {
  return Date.parse(`${expiresAt}T00:00:00Z`);
}

/** Days until expiry, rounded up: 0 only for an expired token. */
export function daysLeft({ expiresAt, nowMs }: { expiresAt: string; nowMs: number }): number {
  return Math.max(0, Math.ceil((expiryMs(expiresAt) - nowMs) / DAY_MS));
}

/** The smallest threshold that is reached (0 = expired); `null` for none. Thresholds are days, 1–365. */
export function reachedThreshold(input: {
  expiresAt: string;
  nowMs: number;
  thresholds: readonly number[];
}): number | null {
  const leftMs = expiryMs(input.expiresAt) - input.nowMs;
  if (leftMs <= 0) return 0;
  const reached = input.thresholds.filter((days) => leftMs <= days * DAY_MS);
  return reached.length === 0 ? null : Math.min(...reached);
}

/**
 * The smallest threshold flagged so far; `null` for none. A flag dated more than a day in the future comes from a
 * wrong clock and must not suppress later flags; a smaller difference may be a clock that was adjusted.
 */
export function standingFlag(input: {
  flag: number | null;
  flaggedAtMs: number | null;
  nowMs: number;
}): number | null {
  const { flag, flaggedAtMs, nowMs } = input;
  return flaggedAtMs !== null && flaggedAtMs > nowMs + DAY_MS ? null : flag;
}

/**
 * The flag that is due: the smallest reached threshold, unless this or a smaller one was flagged before. Several
 * missed thresholds therefore result in one flag.
 */
export function dueFlag(input: {
  expiry: Expiry;
  nowMs: number;
  thresholds: readonly number[];
  flagged: number | null;
}): number | null {
  if (input.expiry.kind !== 'on') return null;
  const reached = reachedThreshold({ ...input, expiresAt: input.expiry.date });
  if (reached === null) return null;
  return input.flagged !== null && input.flagged <= reached ? null : reached;
}

/** When the next flag is due, in ms since 1970; `null` if there is none. */
export function nextFlagMs(input: {
  expiry: Expiry;
  nowMs: number;
  thresholds: readonly number[];
  flagged: number | null;
}): number | null {
  if (input.expiry.kind !== 'on') return null;
  const expiresAtMs = expiryMs(input.expiry.date);
  const open = [...input.thresholds, 0].filter((days) => input.flagged === null || days < input.flagged);
  if (open.length === 0) return null;
  const coming = open.map((days) => expiresAtMs - days * DAY_MS).filter((atMs) => atMs > input.nowMs);
  return coming.length === 0 ? null : Math.min(...coming);
}

/** The state that the API shows. */
export function expiryState(input: {
  expiry: Expiry;
  nowMs: number;
  thresholds: readonly number[];
}): ExpiryState {
  if (input.expiry.kind !== 'on') return input.expiry.kind;
  const reached = reachedThreshold({ ...input, expiresAt: input.expiry.date });
  if (reached === null) return 'ok';
  return reached === 0 ? 'expired' : 'expiring';
}
