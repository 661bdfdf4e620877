import type { ScanCause } from './causes.ts';
import type { HistoryMode } from './integration.ts';
import type { BranchTip } from './ports.ts';
import type { IncompleteReason, ScanHistory } from './scan.ts';

/** Why what a scan of the history left out stays unread in later scans. */
export const HISTORY_GAPS = [
  'history_unread',
  'more_findings',
] as const satisfies readonly IncompleteReason[];
/** Why the history of a repository could not be read, or not in full. */
export type HistoryCause = ScanCause | (typeof HISTORY_GAPS)[number];

/** What is known about the history of a repository. */
export interface ReadHistory {
  /** The rules under which it was read, or could not be read; `null` = not tried. */
  rules: string | null;
  cause: HistoryCause | null;
  triedAt: Date | null;
  /** The newest commit of each branch whose history was read. */
  refs: readonly BranchTip[];
}

export const HISTORY_STATES = ['off', 'waiting', 'read', 'partial', 'failed'] as const;
/** `partial`: some commits could not be read. `failed`: none could; the head was scanned. */
export type HistoryState = (typeof HISTORY_STATES)[number];

export function historyState(input: {
  mode: HistoryMode;
  cause: HistoryCause | null;
  hasRefs: boolean;
}): HistoryState {
  const { mode, cause, hasRefs } = input;
  if (mode === 'off') return 'off';
  if (hasRefs) return cause === null ? 'read' : 'partial';
  return cause === null ? 'waiting' : 'failed';
}

/** A history that could not be read is tried again after this time, when the repository has a new head. */
const RETRY_AFTER_MS = 24 * 3_600_000;

/** How much of the history a scan reads. `requested`: as stored when it was queued. */
export function planHistory(input: {
  mode: HistoryMode;
  requested: ScanHistory;
  read: ReadHistory;
  rules: string;
}): ScanHistory {
  const { mode, requested, read, rules } = input;
  if (requested === 'full') return 'full';
  if (mode === 'off' || read.refs.length === 0) return 'none';
  // `since` never reads what was there before, whatever the rules
  return mode === 'since' || read.rules === rules ? 'since' : 'none';
}

/** Whether the whole history is to be read after a scan of the head. */
export function needsHistoryScan(input: {
  mode: HistoryMode;
  read: ReadHistory;
  rules: string;
  now: Date;
}): boolean {
  const { mode, read, rules, now } = input;
  if (mode !== 'full') return false;
  if (read.rules !== rules) return true;
  const hasFailed = read.refs.length === 0;
  return hasFailed && (read.triedAt === null || now.getTime() - read.triedAt.getTime() > RETRY_AFTER_MS);
}
