/**
 * Rules about the end of a token's life, in UTC days. GitLab gives a date; the token is dead from 00:00 UTC of that
 * day (GitLab docs, "Personal access tokens": tokens expire on that date at midnight UTC).
 */
const DAY_MS = 86_400_000;

/** When a token expires. `date` is `YYYY-MM-DD`; `unknown`: GitLab did not tell. */
export type Expiry = { kind: 'on'; date: string } | { kind: 'never' } | { kind: 'unknown' };

/** For fields that hold a date or nothing. */
export function expiryDate(expiry: Expiry): string | null {
  return expiry.kind === 'on' ? expiry.date : null;
}

/** From a field that is absent where nobody told, and null where the token never expires. */
export function expiryFrom(date: string | null | undefined): Expiry {
  if (date === undefined) return { kind: 'unknown' };
  return date === null ? { kind: 'never' } : { kind: 'on', date };
}

export type ExpiryState = 'never' | 'ok' | 'expiring' | 'expired' | 'unknown';

/** The moment of death of a token with this `YYYY-MM-DD`, in ms since 1970. */
export function expiryMs(expiresAt: string): number {
  return Date.parse(`${expiresAt}T00:00:00Z`);
}

/** Whole days until death, rounded up: never 0 while alive, 0 when dead. */
export function daysLeft({ expiresAt, nowMs }: { expiresAt: string; nowMs: number }): number {
  return Math.max(0, Math.ceil((expiryMs(expiresAt) - nowMs) / DAY_MS));
}

/** The smallest threshold that is reached (0 = dead), or `null` while none is. Thresholds are days, 1–365. */
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
 * The smallest threshold flagged so far, or `null`. A flag from more than a day ahead was made by a clock that was
 * wrong, and must not silence those to come; one from less than that may only be a clock that was set.
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
 * The flag that is due: the smallest threshold reached, unless this or a smaller one was flagged before. Several
 * missed thresholds therefore make one flag.
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

/** When the next flag will be due, in ms since 1970, or `null` when none is to come. */
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

/** The state that people are shown. */
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
