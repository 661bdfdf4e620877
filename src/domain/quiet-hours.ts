/** A daily period in minutes after 00:00 UTC; it may include midnight. */
export interface QuietHours {
  fromMinute: number;
  toMinute: number;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

/** When the current quiet period ends, in ms since 1970; `null` = no quiet period now. */
export function quietUntilMs(quiet: QuietHours | null, nowMs: number): number | null {
  if (quiet === null) return null;
  const lengthMinutes = (quiet.toMinute - quiet.fromMinute + DAY_MINUTES) % DAY_MINUTES;
  const minute = Math.floor(nowMs / MINUTE_MS) % DAY_MINUTES;
  const elapsedMinutes = (minute - quiet.fromMinute + DAY_MINUTES) % DAY_MINUTES;
  if (elapsedMinutes >= lengthMinutes) return null;
  return (Math.floor(nowMs / MINUTE_MS) - elapsedMinutes + lengthMinutes) * MINUTE_MS;
}
