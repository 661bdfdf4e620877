import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deadline } from '../concurrency/deadline.ts';
import type { ScannerRun } from '../domain/scan.ts';
import { coversScope } from './coverage.ts';
import type { FoundInFile } from './found.ts';
import type { Scanner, ScannerResult } from './scanner.ts';
import type { Attempt, Attempted } from './scanners.ts';
import type { Snapshot } from './snapshot.ts';
import { countSkips } from './snapshot.ts';

export interface CompletedRun {
  run: ScannerRun;
  files: readonly FoundInFile[];
  /** Paths in the commit and in the history that the scanner did not read. */
  unreadPaths: string[];
  unreadCommits: readonly string[];
  /** Whether every file in the scanner's scope was read or skipped for a reason. */
  isCovered: boolean;
  hasMore: boolean;
}

const NOTHING = { files: [], unreadPaths: [], unreadCommits: [], isCovered: true, hasMore: false };

/** Runs one scanner. A failure is a run with status `failed`, not an error. */
export async function runScanner(work: {
  scanner: Scanner;
  snapshot: Attempted<Snapshot>;
  attempt: Attempt;
  past: readonly string[] | null;
  concurrentScans: number;
  signal: AbortSignal;
  stopwatch: Deadline;
  /** Signal of the whole scan. */
  folder: string;
}): Promise<CompletedRun> {
  const { scanner, snapshot, attempt } = work;
  const { name, version, rules } = scanner;
  const startedAt = performance.now();
  const completed = (
    outcome: Partial<ScannerRun> & Pick<ScannerRun, 'status'>,
    more: Partial<CompletedRun> = {},
  ): CompletedRun => {
    const none = { cause: null, findings: 0, filesScanned: 0, filesSkipped: [] };
    const durationMs = Math.round(performance.now() - startedAt);
    return { ...NOTHING, ...more, run: { name, version, rules, ...none, ...outcome, durationMs } };
  };
  if (snapshot.ok && !scanner.applies(snapshot.value)) return completed({ status: 'not_applicable' });
  if (version === null) return completed({ status: 'unavailable' });
  if (!snapshot.ok) return completed({ status: 'failed', cause: snapshot.cause });
  const folder = await mkdtemp(join(work.folder, `${name}-`));
  const result = await attempt(scanner.scan({ ...work, folder, snapshot: snapshot.value }));
  if (!result.ok) return completed({ status: 'failed', cause: result.cause });
  return completed(
    okRun(result.value),
    resultOf({ scanner, snapshot: snapshot.value, result: result.value }),
  );
}

function okRun({
  files,
  read,
  skipped,
  past,
}: ScannerResult): Pick<ScannerRun, 'status'> & Partial<ScannerRun> {
  return {
    status: 'ok',
    findings: files.reduce((count, { found }) => count + found.length, 0),
    filesScanned: read.size,
    filesSkipped: countSkips([...skipped, ...past.skipped]),
  };
}

function resultOf(input: {
  scanner: Scanner;
  snapshot: Snapshot;
  result: ScannerResult;
}): Partial<CompletedRun> {
  const { scanner, snapshot, result } = input;
  const { files, skipped, past, hasMore } = result;
  return {
    files,
    unreadPaths: [...new Set([...skipped, ...past.skipped].map(({ path }) => path))],
    unreadCommits: past.unreadCommits,
    isCovered: coversScope({ scope: scanner.scopeOf(snapshot), result }),
    hasMore,
  };
}
