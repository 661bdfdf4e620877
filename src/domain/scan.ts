import type { ScanCause } from './causes.ts';

export const SCAN_TRIGGERS = ['created', 'sync', 'hook', 'schedule', 'manual', 'rules', 'history'] as const;
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
  'undecodable',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

export interface SkippedFiles {
  reason: SkipReason;
  count: number;
}

export const SCANNER_NAMES = ['gitleaks', 'ast-grep'] as const;
/** Everything about a scanner derives from its entry in `src/scanners/registry.ts`. */
export type ScannerName = (typeof SCANNER_NAMES)[number];

/** The scanner of secrets, which also reads the history. */
export const SECRETS_SCANNER: ScannerName = 'gitleaks';

/** Why a scan is not proof of a clean repository. */
export const INCOMPLETE_REASONS = [
  'scanner_missing',
  'blob_unread',
  'history_unread',
  'more_findings',
  'branches_unread',
] as const;
export type IncompleteReason = (typeof INCOMPLETE_REASONS)[number];

/** The part of a report that shows whether everything was read. */
export const NOTHING_UNREAD = { incompleteBecause: [], unreadPaths: {}, unreadCommits: [] };

/** A branch that a scan covered. `from` null: its head alone, or with the whole history from the root. */
export interface ScannedRef {
  name: string;
  from: string | null;
  to: string;
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

/**
 * Lower numbers run first: requests of people, hooks, new commits, first scans, routine, histories, then scans for new
 * rules.
 */
export const SCAN_PRIORITY: Record<ScanTrigger, number> = {
  manual: 1,
  hook: 2,
  sync: 3,
  created: 4,
  schedule: 5,
  history: 6,
  rules: 7,
};

/** Scans of this priority and above are background work: they may wait for others. */
export const BACKGROUND_PRIORITY = SCAN_PRIORITY.history;

/**
 * The outcome of a scan. `clean` requires that every applicable scanner ended `ok` and that every file was read or
 * skipped for a reason; a failed scanner fails the scan; anything missing makes "no findings" `incomplete`.
 */
export function outcomeOf(
  runs: readonly Pick<ScannerRun, 'status' | 'findings' | 'cause'>[],
  incompleteBecause: readonly IncompleteReason[] = [],
): { status: 'succeeded'; outcome: ScanOutcome } | { status: 'failed'; cause: ScanCause } {
  const failed = runs.find((run) => run.status === 'failed');
  if (failed !== undefined) return { status: 'failed', cause: failed.cause ?? 'scanner_crashed' };
  if (runs.some((run) => run.findings > 0)) return { status: 'succeeded', outcome: 'findings' };
  const missing = runs.some((run) => run.status === 'unavailable');
  const isProven = !missing && runs.length > 0 && incompleteBecause.length === 0;
  return { status: 'succeeded', outcome: isProven ? 'clean' : 'incomplete' };
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
  /** Whether its end queued another scan of the repository, which may wait. */
  queuedMore?: boolean;
}
