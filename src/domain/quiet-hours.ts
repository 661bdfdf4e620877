/** A daily period in minutes after 00:00 UTC; it may pass midnight. */
export interface QuietHours {
  fromMinute: number;
  toMinute: number;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

/** When the quiet period that holds now ends, in ms since 1970; `null` = it is not quiet now. */
export function quietUntilMs(quiet: QuietHours | null, nowMs: number): number | null {
  if (quiet === null) return null;
  const length = (quiet.toMinute - quiet.fromMinute + DAY_MINUTES) % DAY_MINUTES;
  const minute = Math.floor(nowMs / MINUTE_MS) % DAY_MINUTES;
  const elapsed = (minute - quiet.fromMinute + DAY_MINUTES) % DAY_MINUTES;
  if (elapsed >= length) return null;
  return (Math.floor(nowMs / MINUTE_MS) - elapsed + length) * MINUTE_MS;
}
