const DAY_MS = 86_400_000;
/** GitLab's own maximum. */
export const MAX_LIFETIME_DAYS = 365;

/** `YYYY-MM-DD` so many days after today, in UTC. */
export function dateInDays(nowMs: number, days: number): string {
  return new Date((Math.floor(nowMs / DAY_MS) + days) * DAY_MS).toISOString().slice(0, 10);
}

/** A new token lives as long as the one before was made for; where that is not known, as long as GitLab allows. */
export function defaultNewExpiry(
  token: { createdAt: string | null; expiresAt: string | null } | null,
  nowMs: number,
): string {
  if (token === null || token.createdAt === null || token.expiresAt === null)
    return dateInDays(nowMs, MAX_LIFETIME_DAYS);
  const bornDay = Math.floor(Date.parse(token.createdAt) / DAY_MS);
  const days = Math.round(Date.parse(token.expiresAt) / DAY_MS) - bornDay;
  return dateInDays(nowMs, Math.max(1, Math.min(MAX_LIFETIME_DAYS, days)));
}
