interface Scanned {
  scans: { queued: number; running: number };
  counts: { scanned: number; neverScanned: number };
}

/**
 * How many repositories no scan waits for, of those that are scanned; `null` while nothing waits or runs. It never
 * reads "all done" while something runs.
 */
export function scanProgress({ scans, counts }: Scanned) {
  const { queued, running } = scans;
  const open = queued + running;
  if (open === 0) return null;
  const all = Math.max(counts.scanned + counts.neverScanned, open);
  return { done: all - open, all, running, queued };
}
