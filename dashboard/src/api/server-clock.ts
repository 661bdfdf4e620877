/** The server's time, derived from the `Date` header of its last answer. */
export const serverClock = {
  offsetMs: 0,
  observe(date: string | null) {
    const serverMs = Date.parse(date ?? '');
    if (Number.isNaN(serverMs)) return;
    const offsetMs = serverMs - Date.now();
    // `Date` has a resolution of one second, so an offset below two seconds is treated as none
    this.offsetMs = Math.abs(offsetMs) < 2_000 ? 0 : offsetMs;
  },
  now(): number {
    return Date.now() + this.offsetMs;
  },
};
