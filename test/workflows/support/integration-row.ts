import type { IntegrationSnapshot } from '../../../src/domain/schedule.ts';
import { nextAction } from '../../../src/domain/schedule.ts';
import type { AllActivities } from './activities.ts';
import { activitiesWith } from './activities.ts';

export interface Flagged {
  thresholdDays: number;
  atMs: number;
}

/** One integration in memory: the content of the database, with decisions by the real rules of the domain. */
export interface IntegrationRow {
  snapshot: IntegrationSnapshot;
  commands: { id: string; kind: 'verify' | 'replace_token' | 'rotate' }[];
  /** Command IDs in the order in which they were finished. */
  finished: string[];
  flags: Flagged[];
  verifications: { atMs: number; commandId: string | null }[];
  syncsOpened: string[];
  plans: number;
  cleanedUp: number;
}

export const THRESHOLDS = [60, 30, 14, 7, 3, 1];

/** An active integration with nothing due: no expiry, no verification, no sync. */
export function integrationRow(snapshot: Partial<IntegrationSnapshot> = {}): IntegrationRow {
  return {
    snapshot: {
      removed: false,
      verdict: 'active',
      paused: false,
      nextVerifyMs: null,
      nextSyncMs: null,
      nextCheckMs: null,
      quietUntilMs: null,
      syncQueued: false,
      expiry: { kind: 'never' },
      flagged: null,
      command: null,
      rotation: null,
      nextRotateMs: null,
      ...snapshot,
    },
    commands: [],
    finished: [],
    flags: [],
    verifications: [],
    syncsOpened: [],
    plans: 0,
    cleanedUp: 0,
  };
}

/** The activities that an integration's workflow calls, over this row. */
export function activitiesOver(row: IntegrationRow, own: Partial<AllActivities> = {}): AllActivities {
  const finish = (commandId: string) => {
    row.finished.push(commandId);
    row.commands = row.commands.filter(({ id }) => id !== commandId);
  };
  return activitiesWith({
    async planIntegration({ nowMs }) {
      row.plans += 1;
      if (row.snapshot.removed) return { action: { do: 'clean_up' }, status: 'removed' };
      const snapshot = { ...row.snapshot, command: row.commands[0] ?? null };
      return {
        action: nextAction({ snapshot, nowMs, thresholds: THRESHOLDS }),
        status: row.snapshot.verdict,
      };
    },
    async flagExpiry({ thresholdDays, nowMs }) {
      row.flags.push({ thresholdDays, atMs: nowMs });
      row.snapshot.flagged = thresholdDays;
      if (thresholdDays === 0) row.snapshot.nextVerifyMs = nowMs;
      return { flagged: true };
    },
    async verifyToken({ commandId, nowMs }) {
      row.verifications.push({ atMs: nowMs, commandId });
      row.snapshot.nextVerifyMs = null;
      if (commandId !== null) finish(commandId);
      return { status: row.snapshot.verdict, suspicion: false };
    },
    async replaceToken({ commandId }) {
      finish(commandId);
      return { code: 'ok' };
    },
    async openSync() {
      row.snapshot.syncQueued = false;
      row.snapshot.nextSyncMs = null;
      return { syncId: row.syncsOpened.at(-1) ?? null, joined: false };
    },
    async cleanUpIntegration() {
      row.cleanedUp += 1;
    },
    ...own,
  });
}
