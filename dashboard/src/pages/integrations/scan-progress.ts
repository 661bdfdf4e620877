interface ScanCounts {
  scans: { queued: number; running: number };
  counts: { scanned: number; neverScanned: number };
}

/**
 * The number of repositories without a queued or running scan, and the total; `null` when no scan is queued or running.
 * `done` is always below `all`, so that the page never reads as finished while a scan runs.
 */
export function scanProgress({ scans, counts }: ScanCounts) {
  const { queued, running } = scans;
  const unfinished = queued + running;
  if (unfinished === 0) return null;
  const all = Math.max(counts.scanned + counts.neverScanned, unfinished);
  return { done: all - unfinished, all, running, queued };
}
