import type { Stopwatch } from '../concurrency/limiter.ts';
import type { SkippedFiles } from '../domain/scan.ts';
import type { FoundInFile } from './found.ts';
import type { Snapshot } from './snapshot.ts';

export interface ScannerInput {
  /** The files of the commit, as they are to be read. */
  snapshot: Snapshot;
  /** An empty folder of its own. */
  folder: string;
  history: 'none' | 'full';
  /** Other scans under way beside it. */
  concurrentScans: number;
  signal: AbortSignal;
  /** The scan's own, which stands while it waits for its turn. */
  stopwatch: Stopwatch;
}

export interface ScannerResult {
  files: readonly FoundInFile[];
  filesScanned: number;
  filesSkipped: readonly SkippedFiles[];
}

/** One scanner. It reads and reports; what it could not read to the end it throws, as `scanner_crashed`. */
export interface Scanner {
  readonly name: string;
  /** `null` where it is not on this machine. */
  readonly version: string | null;
  /** `sha256:…` over everything that decides what it finds; `null` where it is not on this machine. */
  readonly rules: string | null;
  /** Whether there is anything in it that this scanner is for. */
  applies(snapshot: Snapshot): boolean;
  scan(input: ScannerInput): Promise<ScannerResult>;
}
