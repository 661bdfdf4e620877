const DAY_MS = 86_400_000;
/** Maximum lifetime that GitLab accepts. */
export const MAX_LIFETIME_DAYS = 365;

/** The date this many days after today, as `YYYY-MM-DD` in UTC. */
export function dateInDays(nowMs: number, days: number): string {
  return new Date((Math.floor(nowMs / DAY_MS) + days) * DAY_MS).toISOString().slice(0, 10);
}

/** Gives the new token the lifetime of the old one; where that is unknown, the maximum. */
export function defaultNewExpiry(
  token: { createdAt: string | null; expiresAt: string | null } | null,
  nowMs: number,
): string {
  if (token === null || token.createdAt === null || token.expiresAt === null)
    return dateInDays(nowMs, MAX_LIFETIME_DAYS);
  const createdDay = Math.floor(Date.parse(token.createdAt) / DAY_MS);
  const days = Math.round(Date.parse(token.expiresAt) / DAY_MS) - createdDay;
  return dateInDays(nowMs, Math.max(1, Math.min(MAX_LIFETIME_DAYS, days)));
}
