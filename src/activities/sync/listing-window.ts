/**
 * GitLab.com allows 2,000 requests per minute, which the pacer enforces (`SECU_GITLAB_RATE`). A page takes about
 * 200 ms, so seven concurrent requests reach that rate. The extra ones compensate for slow pages, and let a short
 * listing use the rest of the minute. Source: GitLab docs, "GitLab.com-specific rate limits".
 */
const GITLAB_COM_CONCURRENT_PAGES = 10;
const INITIAL_CONCURRENT_PAGES = 2;
const MAX_CONCURRENT_PAGES = 16;
const SLOWDOWN_FACTOR = 1.5;

/** The limit of concurrent page requests of one listing. */
export interface ListingWindow {
  /** The upper bound of `size()`. */
  readonly max: number;
  size(): number;
  recordAnswer(tookMs: number): void;
}

/**
 * GitLab.com has a fixed limit. Other instances publish none, so the window follows their response time: it
 * doubles while answers are as fast as the fastest, halves when they take 1.5 times as long, and then grows by
 * one.
 */
export function listingWindow(baseUrl: string): ListingWindow {
  if (new URL(baseUrl).hostname === 'gitlab.com')
    return {
      max: GITLAB_COM_CONCURRENT_PAGES,
      size: () => GITLAB_COM_CONCURRENT_PAGES,
      recordAnswer: () => {},
    };
  let size = INITIAL_CONCURRENT_PAGES;
  let grows: 'twofold' | 'by_one' = 'twofold';
  let bestMs = Number.POSITIVE_INFINITY;
  let round: number[] = [];
  return {
    max: MAX_CONCURRENT_PAGES,
    size: () => size,
    recordAnswer(tookMs) {
      round.push(tookMs);
      if (round.length < size) return;
      const meanMs = round.reduce((sum, ms) => sum + ms, 0) / round.length;
      round = [];
      bestMs = Math.min(bestMs, meanMs);
      const isSlower = meanMs > bestMs * SLOWDOWN_FACTOR;
      if (isSlower) grows = 'by_one';
      const target = isSlower ? Math.floor(size / 2) : grows === 'twofold' ? size * 2 : size + 1;
      size = Math.max(1, Math.min(MAX_CONCURRENT_PAGES, target));
    },
  };
}
