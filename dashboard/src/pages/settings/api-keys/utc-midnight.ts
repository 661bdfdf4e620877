/** A day of a date field, as the moment at which it begins in UTC; nothing for an empty field. */
export function utcMidnight(day: string): string | undefined {
  return /^\d{4}-\d{2}-\d{2}$/.test(day) ? `${day}T00:00:00Z` : undefined;
}
