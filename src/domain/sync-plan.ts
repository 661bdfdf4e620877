/**
 * GitLab writes `last_activity_at` at most once an hour, so a push can stay invisible for that long. Two hours of overlap
 * cover it, and clocks that differ.
 */
const ACTIVITY_OVERLAP_MS = 2 * 3_600_000;
/** A busy integration is synced at most this much more often than the setting says. */
const MAX_SPEED_UP = 4;
const MIN_PACE_MS = 60_000;

/**
 * Since when a sync asks for active projects; `null` = a complete listing. Only a complete listing may take anything
 * away, so one is due at its own interval, on request, and after a delta that was contradicted.
 */
export function activeSince(input: {
  isScheduled: boolean;
  isBraked: boolean;
  lastFullSyncAt: Date | null;
  /** When the last complete sync of either kind began. */
  lastSyncStartedAt: Date | null;
  fullSyncIntervalMs: number;
  now: Date;
}): Date | null {
  const { isScheduled, isBraked, lastFullSyncAt, lastSyncStartedAt, fullSyncIntervalMs, now } = input;
  if (!isScheduled || isBraked || lastFullSyncAt === null || lastSyncStartedAt === null) return null;
  if (now.getTime() - lastFullSyncAt.getTime() >= fullSyncIntervalMs) return null;
  return new Date(lastSyncStartedAt.getTime() - ACTIVITY_OVERLAP_MS);
}

/** The time until the next sync: shorter while there are changes, at most the interval of the settings. */
export function nextPaceMs(input: {
  paceMs: number | null;
  hasChanged: boolean;
  intervalMs: number;
}): number {
  const { paceMs, hasChanged, intervalMs } = input;
  const fastest = Math.min(intervalMs, Math.max(MIN_PACE_MS, Math.floor(intervalMs / MAX_SPEED_UP)));
  const current = paceMs ?? intervalMs;
  return Math.max(fastest, Math.min(intervalMs, hasChanged ? Math.floor(current / 2) : current * 2));
}
