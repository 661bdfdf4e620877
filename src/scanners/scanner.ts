import type { Stopwatch } from '../concurrency/limiter.ts';
import type { ScannerName } from '../domain/scan.ts';
import type { FoundInFile } from './found.ts';
import type { SkippedFile, Snapshot } from './snapshot.ts';

export interface ScannerInput {
  /** The files of the commit, prepared for scanners. */
  snapshot: Snapshot;
  /** An empty folder for this scanner only. */
  folder: string;
  /** The commits to read besides the head, as revisions for `git log`; `null` = none. */
  past: readonly string[] | null;
  /** Number of other scans in progress. */
  concurrentScans: number;
  signal: AbortSignal;
  /** Of the whole scan; paused while the scan waits for a limiter. */
  stopwatch: Stopwatch;
}

export interface ScannerResult {
  files: readonly FoundInFile[];
  /** Entries of the commit that were read with all their rules. */
  read: ReadonlySet<number>;
  /**
   * Entries that were not read, or not in full. `read` and `skipped` together are all entries in the scanner's
   * scope.
   */
  skipped: readonly SkippedFile[];
  /** Unread parts of the history, in addition to `skipped`. */
  past: { skipped: readonly Pick<SkippedFile, 'path' | 'reason'>[]; unreadCommits: readonly string[] };
  /** Whether there were more findings than `files` holds. */
  hasMore: boolean;
}

/** One scanner. It reports an incomplete read as an error `scanner_crashed`, never as a result. */
export interface Scanner {
  readonly name: ScannerName;
  /** `null` if the program is not installed. */
  readonly version: string | null;
  /** `sha256:…` over everything that decides what it finds; `null` if the program is not installed. */
  readonly rules: string | null;
  /** Number of all rules in force. */
  readonly ruleIds: readonly string[];
  /** Whether the commit has any file in the scanner's scope. */
  applies(snapshot: Snapshot): boolean;
  /** Entries of the commit in the scanner's scope; its result must contain each of them. */
  scopeOf(snapshot: Snapshot): ReadonlySet<number>;
  scan(input: ScannerInput): Promise<ScannerResult>;
}
