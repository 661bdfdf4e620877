import type { Label } from '../../format/labels.ts';
import { causeTitle } from '../../format/labels.ts';

/** What of a token its end of life is told from. */
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
/** From this flag on the page says it in red: the threshold that was reached decides, not the days themselves. */
const BAD_FLAG = 7;
const LAST_HOURS = 12;

/** GitLab refuses the token whatever its date says. */
const UNUSABLE_CAUSES = ['token_revoked', 'token_rejected', 'rotation_lost'];

/** Whether days are left to the token at all: one that was revoked must not look as if it lived on. */
export function isUnusable(cause: string | null): boolean {
  return cause !== null && UNUSABLE_CAUSES.includes(cause);
}

/** What is to be said of a token's end: that it is dead, or how long it lives yet. */
export function tokenExpiryLabel(
  token: Omit<TokenDates, 'createdAt'>,
  cause: string | null,
  nowMs: number,
): Label {
  if (!isUnusable(cause)) return expiryLabel(token, nowMs);
  const title = causeTitle(cause);
  return { text: `${title.charAt(0).toUpperCase()}${title.slice(1)}`, hue: 'bad' };
}

/** How long a token lives yet, in the colour of the threshold that it has reached. */
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
  if (days !== 1 || expiresAt === null)
    return `${days.toLocaleString('en')} ${days === 1 ? 'day' : 'days'} left`;
  const hours = Math.ceil((expiryMs(expiresAt) - nowMs) / HOUR_MS);
  return hours >= 1 && hours < LAST_HOURS
    ? `Expires at 00:00 UTC, in ${hours} h`
    : 'Expires tomorrow at 00:00 UTC';
}

/** A token is dead from 00:00 UTC of its day. */
function expiryMs(date: string): number {
  return Date.parse(`${date}T00:00:00Z`);
}

/** Days of a token's life, and how many are gone; `null` where its beginning or end is not known. */
export function lifetimeOf(token: TokenDates): {
  goneDays: number;
  days: number;
} | null {
  const { createdAt, expiresAt, expiry } = token;
  if (createdAt === null || expiresAt === null || expiry.daysLeft === null) return null;
  const bornMs = Math.floor(Date.parse(createdAt) / DAY_MS) * DAY_MS;
  const days = Math.round((expiryMs(expiresAt) - bornMs) / DAY_MS);
  if (days < 1) return null;
  return { goneDays: Math.min(days, Math.max(0, days - expiry.daysLeft)), days };
}
