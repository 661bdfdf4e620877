import type { ScanCause } from './causes.ts';

export const SCAN_TRIGGERS = ['created', 'sync', 'schedule', 'manual'] as const;
export type ScanTrigger = (typeof SCAN_TRIGGERS)[number];
export const SCAN_STATUSES = ['queued', 'running', 'succeeded', 'failed', 'canceled'] as const;
export type ScanStatus = (typeof SCAN_STATUSES)[number];
export const SCAN_PHASES = ['cloning', 'scanning', 'storing'] as const;
export type ScanPhase = (typeof SCAN_PHASES)[number];
export const SCAN_OUTCOMES = ['clean', 'findings', 'incomplete'] as const;
export type ScanOutcome = (typeof SCAN_OUTCOMES)[number];
export const SCAN_HISTORIES = ['none', 'since', 'full'] as const;
export type ScanHistory = (typeof SCAN_HISTORIES)[number];
export const SCANNER_STATUSES = ['ok', 'failed', 'unavailable', 'not_applicable', 'off'] as const;
export type ScannerStatus = (typeof SCANNER_STATUSES)[number];

export const SKIP_REASONS = [
  'too_large',
  'binary',
  'unreadable',
  'link',
  'submodule',
  'path_too_long',
  'lfs_pointer',
  'minified',
  'vendored',
  'unparsable',
  'too_complex',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

export interface SkippedFiles {
  reason: SkipReason;
  count: number;
}

/** What one scanner did in one scan, as shown to people. Times in ms. */
export interface ScannerRun {
  name: string;
  version: string | null;
  /** `sha256:…` over all rules in force. */
  rules: string | null;
  status: ScannerStatus;
  cause: ScanCause | null;
  findings: number;
  filesScanned: number;
  filesSkipped: SkippedFiles[];
  durationMs: number;
}

/** Lower numbers run first: requests of people, then changes, then routine. */
export const SCAN_PRIORITY: Record<ScanTrigger, number> = { manual: 1, created: 2, sync: 3, schedule: 4 };

/**
 * The outcome of a scan. `clean` requires that every applicable scanner ended `ok`; a failed scanner fails the
 * scan; a missing one makes "no findings" `incomplete`.
 */
export function outcomeOf(
  runs: readonly Pick<ScannerRun, 'status' | 'findings' | 'cause'>[],
): { status: 'succeeded'; outcome: ScanOutcome } | { status: 'failed'; cause: ScanCause } {
  const failed = runs.find((run) => run.status === 'failed');
  if (failed !== undefined) return { status: 'failed', cause: failed.cause ?? 'scanner_crashed' };
  if (runs.some((run) => run.findings > 0)) return { status: 'succeeded', outcome: 'findings' };
  const missing = runs.some((run) => run.status === 'unavailable');
  return { status: 'succeeded', outcome: missing || runs.length === 0 ? 'incomplete' : 'clean' };
}

/** The input of a scan workflow. Only ids travel through Temporal. */
export interface ScanTask {
  integrationId: string;
  repositoryId: string;
  scanId: string;
}

/** How a scan ended, in codes and counts. `requeued`: it is queued again. */
export interface ScanResult {
  scanId: string;
  status: 'succeeded' | 'failed' | 'canceled' | 'requeued';
  outcome: string | null;
  cause: string | null;
  findings: number;
}
