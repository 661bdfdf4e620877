/** `1,198 of 1,204 scanned in the last 24 h`; the part is never shown as the whole. */
export function freshnessText(freshness: {
  scanned24h: number;
  failed: number;
  never: number;
  repositories: number;
}): string {
  const { scanned24h, repositories } = freshness;
  if (repositories === 0) return 'No repository is scanned yet';
  return `${scanned24h.toLocaleString('en')} of ${repositories.toLocaleString('en')} scanned in the last 24 h`;
}
