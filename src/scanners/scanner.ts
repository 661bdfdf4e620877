import type { ScannedFinding } from '../domain/finding.ts';
import type { SkippedFiles } from '../domain/scan.ts';
import type { Snapshot } from './snapshot.ts';

export interface ScannerInput {
  /** The files of the commit, as they are to be read. */
  snapshot: Snapshot;
  /** An empty folder of its own. */
  folder: string;
  history: 'none' | 'full';
  /** HMAC with the installation's fingerprint key, hex. */
  hash: (text: string) => string;
  signal: AbortSignal;
}

export interface ScannerResult {
  findings: ScannedFinding[];
  filesScanned: number;
  /** Beside those that the snapshot left out. */
  filesSkipped: SkippedFiles[];
}

/** One scanner. It reads and reports; what it could not read to the end it throws, as `scanner_crashed`. */
export interface Scanner {
  readonly name: string;
  /** `null` where it is not on this machine. */
  readonly version: string | null;
  /** `sha256:…` over everything that decides what it finds; `null` where it is not on this machine. */
  readonly rules: string | null;
  scan(input: ScannerInput): Promise<ScannerResult>;
}
