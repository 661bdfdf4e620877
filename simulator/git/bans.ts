import type { Clock } from '../clock.ts';

/**
 * The number of failed Git authentications within a time that bans an address, and the duration of the ban.
 */
export type BanLimits = { failures: number; withinMs: number; banMs: number };

/** @see GitLab.com settings, "IP blocks": 300 in a minute, 15 minutes */
export const GITLAB_COM_BAN: BanLimits = { failures: 300, withinMs: 60_000, banMs: 900_000 };

export type BanList = {
  isBanned(address: string): boolean;
  /** Counts wrong credentials, but not requests without credentials. */
  countFailure(address: string): void;
  /** A success resets the count. */
  forgive(address: string): void;
  clear(): void;
};

export function createBanList(options: { clock: Clock; limits: BanLimits }): BanList {
  const failures = new Map<string, number[]>();
  const bannedUntilMs = new Map<string, number>();
  const nowMs = () => options.clock.now().getTime();
  return {
    isBanned: (address) => (bannedUntilMs.get(address) ?? 0) > nowMs(),
    countFailure(address) {
      const since = nowMs() - options.limits.withinMs;
      const recent = [...(failures.get(address) ?? []).filter((at) => at > since), nowMs()];
      failures.set(address, recent);
      if (recent.length < options.limits.failures) return;
      bannedUntilMs.set(address, nowMs() + options.limits.banMs);
      failures.delete(address);
    },
    forgive: (address) => failures.delete(address),
    clear() {
      failures.clear();
      bannedUntilMs.clear();
    },
  };
}
