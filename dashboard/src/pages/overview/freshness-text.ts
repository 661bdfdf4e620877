/** `1,198 of 1,204 scanned in the last 24 hours`. */
export function freshnessText(freshness: { scanned24h: number; repositories: number }): string {
  const { scanned24h, repositories } = freshness;
  if (repositories === 0) return 'No repositories yet';
  return `${scanned24h.toLocaleString('en')} of ${repositories.toLocaleString('en')} scanned in the last 24 hours`;
}
