/** The simulator's own time, for token expiry, rate limits and activity dates. */
export type Clock = {
  now(): Date;
  /** Today's date in UTC, `YYYY-MM-DD`. */
  today(): string;
  /**
   * Sets the time; the clock continues to run from there.
   * @param to an ISO instant, or an offset from the base clock in milliseconds
   */
  set(to: string | number): void;
};

export function createClock(base: () => Date = () => new Date()): Clock {
  let offsetMs = 0;
  const now = () => new Date(base().getTime() + offsetMs);
  return {
    now,
    today: () => dateOf(now()),
    set(to) {
      const next = typeof to === 'number' ? to : Date.parse(to) - base().getTime();
      if (!Number.isFinite(next)) throw new Error(`not an instant: ${to}`);
      offsetMs = next;
    },
  };
}

/** The UTC date of an instant, `YYYY-MM-DD`. */
function dateOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** The UTC date a number of days after an instant. */
export function dateAfter({ at, days }: { at: Date; days: number }): string {
  return dateOf(new Date(at.getTime() + days * 86_400_000));
}
