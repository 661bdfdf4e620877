import { isTokenEndingCause } from '../../../../src/domain/causes.ts';
import type { Label } from '../../format/labels.ts';
import { capitalize, causeTitle, formatCount } from '../../format/labels.ts';

/** The dates of a token from which the page shows its expiry. */
export interface TokenDates {
  createdAt: string | null;
  /** `YYYY-MM-DD`. */
  expiresAt: string | null;
  expiry: {
    state: 'never' | 'ok' | 'expiring' | 'expired' | 'unknown';
    daysLeft: number | null;
    flag: number | null;
  };
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** From this threshold on the page shows the expiry in red. The reached threshold counts, not the days left. */
const BAD_FLAG = 7;
const LAST_HOURS = 12;

/** Whether the token stopped working before its expiry date; the page must not count down its days. */
export function isUnusable(cause: string | null): boolean {
  return cause !== null && isTokenEndingCause(cause);
}

/** Why the token is unusable, or its remaining time. */
export function tokenExpiryLabel(
  token: Omit<TokenDates, 'createdAt'>,
  cause: string | null,
  nowMs: number,
): Label {
  if (!isUnusable(cause)) return expiryLabel(token, nowMs);
  return { text: capitalize(causeTitle(cause)), hue: 'bad' };
}

/** The remaining time of a token, in the colour of the reached threshold. */
export function expiryLabel({ expiresAt, expiry }: Omit<TokenDates, 'createdAt'>, nowMs: number): Label {
  switch (expiry.state) {
    case 'never':
      return { text: 'No expiry', hue: 'neutral' };
    case 'unknown':
      return { text: 'Expiry unknown', hue: 'warn' };
    case 'expired':
      return { text: expiresAt === null ? 'Expired' : `Expired on ${expiresAt}`, hue: 'bad' };
    case 'ok':
      return { text: remainingText({ expiresAt, expiry }, nowMs), hue: 'neutral' };
    case 'expiring':
      return { text: remainingText({ expiresAt, expiry }, nowMs), hue: expiringHue(expiry.flag) };
  }
}

function expiringHue(flag: number | null): 'warn' | 'bad' {
  return flag !== null && flag <= BAD_FLAG ? 'bad' : 'warn';
}

function remainingText({ expiresAt, expiry }: Omit<TokenDates, 'createdAt'>, nowMs: number): string {
  const days = expiry.daysLeft ?? 0;
  if (days !== 1 || expiresAt === null) return `${formatCount(days, 'day')} left`;
  const hours = Math.ceil((expiryMs(expiresAt) - nowMs) / HOUR_MS);
  return hours >= 1 && hours < LAST_HOURS
    ? `Expires at 00:00 UTC, in ${hours} h`
    : 'Expires tomorrow at 00:00 UTC';
}

/** A token expires at 00:00 UTC of its expiry date. */
function expiryMs(date: string): number {
  return Date.parse(`${date}T00:00:00Z`);
}

/** Lifetime of a token in days, and the elapsed part; `null` where a date is unknown. */
export function lifetimeOf(token: TokenDates): {
  elapsedDays: number;
  days: number;
} | null {
  const { createdAt, expiresAt, expiry } = token;
  if (createdAt === null || expiresAt === null || expiry.daysLeft === null) return null;
  const createdMs = Math.floor(Date.parse(createdAt) / DAY_MS) * DAY_MS;
  const days = Math.round((expiryMs(expiresAt) - createdMs) / DAY_MS);
  if (days < 1) return null;
  return { elapsedDays: Math.min(days, Math.max(0, days - expiry.daysLeft)), days };
}
