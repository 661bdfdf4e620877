/**
 * GitLab writes `last_activity_at` at most once an hour, so a push can stay invisible for that long. Two hours of overlap
 * cover this delay and differences between clocks.
 */
const ACTIVITY_OVERLAP_MS = 2 * 3_600_000;
/** An integration with changes is synced at most this many times as often as the setting says. */
const MAX_SPEED_UP = 4;
const MIN_PACE_MS = 60_000;

/**
 * The time since which a sync lists active projects; `null` = a complete listing. Only a complete listing may mark
 * repositories as missing, so one runs at its own interval, on request, and when the state may differ from GitLab's.
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
  const minPaceMs = Math.min(intervalMs, Math.max(MIN_PACE_MS, Math.floor(intervalMs / MAX_SPEED_UP)));
  const currentMs = paceMs ?? intervalMs;
  return Math.max(minPaceMs, Math.min(intervalMs, hasChanged ? Math.floor(currentMs / 2) : currentMs * 2));
}
