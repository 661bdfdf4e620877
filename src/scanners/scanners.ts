import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deadline } from '../concurrency/deadline.ts';
import { createDeadline } from '../concurrency/deadline.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import { canceled, isSecuError } from '../domain/errors.ts';
import type { ScannedFinding } from '../domain/finding.ts';
import type { Scanners, ScanReport } from '../domain/ports.ts';
import type { IncompleteReason, ScannerName } from '../domain/scan.ts';
import { SCANNER_NAMES, SECRETS_SCANNER } from '../domain/scan.ts';
import type { Sandbox } from '../subprocess/sandbox.ts';
import { createSandbox } from '../subprocess/sandbox.ts';
import { coversCommit } from './coverage.ts';
import { toFindings } from './found.ts';
import type { ToolChoice } from './registry.ts';
import { createEachScanner } from './registry.ts';
import type { CompletedRun } from './run-scanner.ts';
import { runScanner } from './run-scanner.ts';
import type { Scanner } from './scanner.ts';
import type { Snapshot } from './snapshot.ts';
import { createSnapshot } from './snapshot.ts';

export const MAX_FINDINGS = 10_000;

export interface ScannersOptions {
  /** If the program of a scanner is not installed, scans are incomplete, never clean. */
  tools: ToolChoice;
  /** A folder for temporary files; it need not exist. */
  workFolder: string;
  /** Larger files are counted, not read. */
  blobMaxBytes: number;
  /** For all scanners of one repository together, without the time spent waiting for a limiter. */
  scanTimeoutMs: number;
  /** Max scanner programs that run at the same time. */
  concurrency: number;
  /** Max stored findings of one scanner, the most severe first; the scan reports when there are more. */
  maxFindings?: number;
}

type ScanInput = Parameters<Scanners['scan']>[0];

/** All scanners of this installation. `sandbox` restricts their programs; by default only their network, if possible. */
export function createScanners(
  options: ScannersOptions,
  sandbox: Sandbox = createSandbox({ folder: options.workFolder, view: null }),
): Scanners {
  const { tools, workFolder, blobMaxBytes, concurrency, maxFindings = MAX_FINDINGS } = options;
  mkdirSync(workFolder, { recursive: true, mode: 0o700 });
  const scanners = createEachScanner(tools, {
    sandbox,
    limiter: createLimiter(concurrency),
    smallSnapshotLimiter: createLimiter(Math.max(1, Math.floor(concurrency / 2))),
    workFolder,
    blobMaxBytes,
    maxFindings,
  });
  return {
    rules: hashOf(scanners),
    ruleIds: ruleIdsOf(scanners),
    scan: (input) => scanRepository({ options, scanners, sandbox, input }),
  };
}

function hashOf(scanners: readonly Scanner[]): string {
  const parts = scanners.map(({ name, version, rules }) => [name, version, rules]);
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

function ruleIdsOf(scanners: readonly Scanner[]): Scanners['ruleIds'] {
  const idsOf = (name: ScannerName) => scanners.find((scanner) => scanner.name === name)?.ruleIds ?? [];
  return Object.fromEntries(SCANNER_NAMES.map((name) => [name, idsOf(name)])) as Scanners['ruleIds'];
}

interface Work {
  options: ScannersOptions;
  scanners: readonly Scanner[];
  sandbox: Sandbox;
  input: ScanInput;
}

async function scanRepository({ options, scanners, sandbox, input }: Work): Promise<ScanReport> {
  if (input.signal.aborted) throw canceled();
  const stopwatch = createDeadline(options.scanTimeoutMs);
  const signal = AbortSignal.any([input.signal, stopwatch.signal]);
  const attempt: Attempt = (work) => attemptWork({ stopwatch, outer: input.signal }, work);
  const folder = await mkdtemp(join(input.workDirectory, 'scan-'));
  const { blobMaxBytes } = options;
  const { concurrentScans = 0, hash } = input;
  const past = pastOf(input);
  let snapshot: Attempted<Snapshot> | null = null;
  try {
    snapshot = await attempt(createSnapshot({ ...input, folder, blobMaxBytes, sandbox, signal }));
    const completed: CompletedRun[] = [];
    for (const scanner of scanners) {
      const how = { past, concurrentScans, signal, stopwatch, folder };
      completed.push(await runScanner({ scanner, snapshot, attempt, ...how }));
    }
    return await createReport({ completed, snapshot, attempt, hash });
  } finally {
    stopwatch.close();
    if (snapshot?.ok === true) await snapshot.value.git.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Branches at depth one are read as a whole, without what the head holds. */
function pastOf({ commit, history, tips = [], known = [] }: ScanInput): string[] | null {
  switch (history) {
    case 'none':
      return tips.length === 0 ? null : [...tips, '--not', commit];
    case 'since':
      return ['--ignore-missing', commit, ...tips, '--not', ...known];
    case 'full':
      return [commit, ...tips];
  }
}

const FAILURES = ['scanner_crashed', 'too_many_files', 'object_malformed'] as const;
type FailureCause = 'scan_timed_out' | (typeof FAILURES)[number];
export type Attempted<T> = { ok: true; value: T } | { ok: false; cause: FailureCause };
export type Attempt = <T>(work: Promise<T>) => Promise<Attempted<T>>;

/** Converts expected failures to a cause. @throws SecuError `canceled`; every unexpected error */
async function attemptWork<T>(
  { stopwatch, outer }: { stopwatch: Deadline; outer: AbortSignal },
  work: Promise<T>,
): Promise<Attempted<T>> {
  try {
    return { ok: true, value: await work };
  } catch (err) {
    if (outer.aborted) throw canceled();
    if (stopwatch.signal.aborted) return { ok: false, cause: 'scan_timed_out' };
    const cause = FAILURES.find((failure) => isSecuError(err, failure));
    if (cause === undefined) throw err;
    return { ok: false, cause };
  }
}

/**
 * Creates findings after all scanners have ended, because each line is masked for the matches of all scanners.
 */
async function createReport(work: {
  completed: readonly CompletedRun[];
  snapshot: Attempted<Snapshot>;
  attempt: Attempt;
  hash: ScanInput['hash'];
}): Promise<ScanReport> {
  const { completed, snapshot, attempt, hash } = work;
  const runs = completed.map(({ run }) => run);
  const evidence = evidenceOf(completed, snapshot);
  if (!snapshot.ok) return { runs, findings: [], ...evidence };
  const files = completed.flatMap((one) => one.files);
  const showsLines = runs.some(({ name, status }) => name === SECRETS_SCANNER && status === 'ok');
  const { git } = snapshot.value;
  const findings = await attempt<ScannedFinding[]>(
    (async () => {
      const found = files.length === 0 ? [] : await toFindings({ files, git, hash, showsLines });
      await git.close();
      return found;
    })(),
  );
  if (findings.ok) return { runs, findings: findings.value, ...evidence };
  const failed = { status: 'failed', cause: findings.cause, findings: 0 } as const;
  return {
    runs: runs.map((run) => (run.status === 'ok' ? { ...run, ...failed } : run)),
    findings: [],
    ...evidence,
  };
}

/** What the scanners did not read; each reason makes the report incomplete as a proof. */
function evidenceOf(
  completed: readonly CompletedRun[],
  snapshot: Attempted<Snapshot>,
): Pick<ScanReport, 'incompleteBecause' | 'unreadPaths' | 'unreadCommits'> {
  const unreadCommits = [...new Set(completed.flatMap((one) => one.unreadCommits))];
  const isUnread = completed.some((one) => !one.isCovered) || (snapshot.ok && !coversCommit(snapshot.value));
  const reasons: readonly [IncompleteReason, boolean][] = [
    ['scanner_missing', completed.some(({ run }) => run.status === 'unavailable')],
    ['blob_unread', isUnread],
    ['history_unread', unreadCommits.length > 0],
    ['more_findings', completed.some((one) => one.hasMore)],
  ];
  return {
    incompleteBecause: reasons.flatMap(([reason, holds]) => (holds ? [reason] : [])),
    unreadPaths: Object.fromEntries(
      completed.filter((one) => one.unreadPaths.length > 0).map((one) => [one.run.name, one.unreadPaths]),
    ),
    unreadCommits,
  };
}
