/** Midnight UTC of the day in a date field; `undefined` for an empty field. */
export function utcMidnight(day: string): string | undefined {
  return /^\d{4}-\d{2}-\d{2}$/.test(day) ? `${day}T00:00:00Z` : undefined;
}
