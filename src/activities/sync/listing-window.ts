/**
 * GitLab.com allows 2,000 requests a minute, which the pacer holds (`SECU_GITLAB_RATE`), and a page takes about 200 ms:
 * seven at once are what that comes to. A few more make up for pages that take longer, and let a short listing use what
 * the minute has left. Source: GitLab docs, "GitLab.com-specific rate limits".
 */
const GITLAB_COM_CONCURRENT_PAGES = 10;
const INITIAL_CONCURRENT_PAGES = 2;
const MAX_CONCURRENT_PAGES = 16;
const SLOWDOWN_FACTOR = 1.5;

/** How many pages of one listing may be asked for at once. */
export interface ListingWindow {
  /** It never grows beyond this. */
  readonly max: number;
  size(): number;
  answered(tookMs: number): void;
}

/**
 * Elsewhere no limit is published, so the pace follows the server: twice as many while answers come as quickly as
 * they did, half as many once they take half as long again, then one more at a time.
 */
export function listingWindow(baseUrl: string): ListingWindow {
  if (new URL(baseUrl).hostname === 'gitlab.com')
    return { max: GITLAB_COM_CONCURRENT_PAGES, size: () => GITLAB_COM_CONCURRENT_PAGES, answered: () => {} };
  let size = INITIAL_CONCURRENT_PAGES;
  let grows: 'twofold' | 'by_one' = 'twofold';
  let bestMs = Number.POSITIVE_INFINITY;
  let round: number[] = [];
  return {
    max: MAX_CONCURRENT_PAGES,
    size: () => size,
    answered(tookMs) {
      round.push(tookMs);
      if (round.length < size) return;
      const meanMs = round.reduce((sum, ms) => sum + ms, 0) / round.length;
      round = [];
      bestMs = Math.min(bestMs, meanMs);
      const isSlower = meanMs > bestMs * SLOWDOWN_FACTOR;
      if (isSlower) grows = 'by_one';
      const wanted = isSlower ? Math.floor(size / 2) : grows === 'twofold' ? size * 2 : size + 1;
      size = Math.max(1, Math.min(MAX_CONCURRENT_PAGES, wanted));
    },
  };
}
