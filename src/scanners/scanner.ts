import type { Stopwatch } from '../concurrency/limiter.ts';
import type { ScannerName } from '../domain/scan.ts';
import type { FoundInFile } from './found.ts';
import type { SkippedFile, Snapshot } from './snapshot.ts';

export interface ScannerInput {
  /** The files of the commit, as scanners read them. */
  snapshot: Snapshot;
  /** An empty folder of its own. */
  folder: string;
  history: 'none' | 'full';
  /** Number of other scans in progress. */
  concurrentScans: number;
  signal: AbortSignal;
  /** Of the whole scan; paused while it waits for a limiter. */
  stopwatch: Stopwatch;
}

export interface ScannerResult {
  files: readonly FoundInFile[];
  /** Entries of the commit that were read with every rule for them. */
  read: ReadonlySet<number>;
  /** Entries that were not read, or not in full. With `read` they are all entries that the scanner is for. */
  skipped: readonly SkippedFile[];
  /** What was not read of the history, beside `skipped`. */
  past: { skipped: readonly Pick<SkippedFile, 'path' | 'reason'>[]; unreadCommits: readonly string[] };
  /** There were more findings than `files` holds. */
  hasMore: boolean;
}

/** One scanner. An incomplete read is an error `scanner_crashed`, never a result. */
export interface Scanner {
  readonly name: ScannerName;
  /** `null` when the program is not installed. */
  readonly version: string | null;
  /** `sha256:…` over everything that decides what it finds; `null` when the program is not installed. */
  readonly rules: string | null;
  /** Of all rules in force. */
  readonly ruleIds: readonly string[];
  /** Whether the commit has any file that this scanner is for. */
  applies(snapshot: Snapshot): boolean;
  /** Entries of the commit that this scanner is for; each of them must be in its result. */
  scopeOf(snapshot: Snapshot): ReadonlySet<number>;
  scan(input: ScannerInput): Promise<ScannerResult>;
}
