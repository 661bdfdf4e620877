import type { Database } from '../db/database.ts';
import type { GitRemote, RotationJournal, Scanners, Starters } from '../domain/ports.ts';
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
  scanIntervalMs: number;
  /** Clones at once, per GitLab origin. */
  clones: number;
  diskReserveBytes: number;
  retentionMs: number;
}

/** What every worker hands its activities. */
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
  /** Rules in force, to notice repositories that were scanned with others. */
  rules: string;
}

export interface ScanDeps extends GitlabDeps {
  scanners: Scanners;
  /** Where clones live while they are scanned. */
  workFolder: string;
  /** HMAC with the installation's fingerprint key. */
  hash: (text: string) => string;
}

/** Steps of a rotation, each durable when `onStep` is called for it. */
export type RotationStep = 'prepared' | 'intent' | 'answered' | 'journalled' | 'committed' | 'verified';

export interface RotationDeps extends GitlabDeps {
  journal: RotationJournal;
  /** Keyed hash of a token, to detect one that is already integrated. */
  hashToken: (token: Secret) => string;
  /** True from the moment when the process was asked to stop: nothing begins then. */
  isDraining: () => boolean;
  /** The old token must be seen alive twice, so far apart, before a lost answer counts as "nothing happened". */
  confirmAfterMs: number;
  /** Called after each step, before the next begins. */
  onStep: (step: RotationStep) => Promise<void> | void;
}
