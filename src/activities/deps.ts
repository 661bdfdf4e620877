import type { Database } from '../db/database.ts';
import type { HistoryMode } from '../domain/integration.ts';
import type { GitRemote, RotationJournal, Scanners, Starters } from '../domain/ports.ts';
import type { QuietHours } from '../domain/quiet-hours.ts';
import type { Secret } from '../domain/secret.ts';
import type { GitlabClient } from '../gitlab/client.ts';
import type { Log } from '../log/logger.ts';
import type { ActivityMetrics } from '../metrics/activities.ts';
import type { Vault } from '../vault/vault.ts';

/** The settings that activities read. Intervals in ms, 0 = off. */
export interface ActivitySettings {
  expiryThresholds: readonly number[];
  verifyIntervalMs: number;
  syncIntervalMs: number;
  /** Of complete listings; the syncs between them list only what was active. */
  fullSyncIntervalMs: number;
  scanIntervalMs: number;
  /** Background work waits in this period. */
  quietHours: QuietHours | null;
  /** For integrations without a mode of their own. */
  history: HistoryMode;
  /** The limit of concurrent clones. */
  clones: number;
  diskReserveBytes: number;
  retentionMs: number;
}

/** Dependencies of every activity. */
export interface ActivityDeps {
  database: Database;
  vault: Vault;
  starters: Starters;
  log: Log;
  metrics: ActivityMetrics;
  settings: ActivitySettings;
}

export interface GitlabDeps extends ActivityDeps {
  gitlab: GitlabClient;
  git: GitRemote;
  /** The scanner rules in force. A repository that was scanned under other rules is scanned again. */
  rules: string;
}

export interface ScanDeps extends GitlabDeps {
  scanners: Scanners;
  /** The folder that holds clones during their scan. */
  workFolder: string;
  /** HMAC with the installation's fingerprint key. */
  hash: (text: string) => string;
}

/** Steps of a rotation. Each one is durable before `onStep` is called for it. */
export type RotationStep = 'prepared' | 'intent' | 'answered' | 'journalled' | 'committed' | 'verified';

export interface RotationDeps extends GitlabDeps {
  journal: RotationJournal;
  /** Keyed hash of a token, to detect one that is already integrated. */
  hashToken: (token: Secret) => string;
  /** True after the process was asked to stop. No new rotation starts then. */
  isDraining: () => boolean;
  /** The time between two checks of the old token. Both must succeed before a lost answer counts as "not rotated". */
  confirmAfterMs: number;
  /** Called after each step. The next step waits for it. */
  onStep: (step: RotationStep) => Promise<void> | void;
}
