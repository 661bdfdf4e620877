import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deadline } from '../concurrency/deadline.ts';
import { createDeadline } from '../concurrency/deadline.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import { canceled, isSecuError, SecuError } from '../domain/errors.ts';
import type { ScannedFinding } from '../domain/finding.ts';
import type { Scanners, ScanReport } from '../domain/ports.ts';
import type { ScannerRun, SkippedFiles } from '../domain/scan.ts';
import type { Isolation } from '../subprocess/sandbox.ts';
import { createSandbox } from '../subprocess/sandbox.ts';
import type { AstGrepOptions } from './ast-grep/ast-grep.ts';
import { createAstGrep } from './ast-grep/ast-grep.ts';
import { hasCode } from './ast-grep/code-files.ts';
import type { FoundInFile } from './found.ts';
import { toFindings } from './found.ts';
import { createGitleaks } from './gitleaks/gitleaks.ts';
import type { Scanner } from './scanner.ts';
import type { Snapshot } from './snapshot.ts';
import { takeSnapshot } from './snapshot.ts';

const MAX_FINDINGS = 10_000;
const SECRETS_SCANNER = 'gitleaks';

export interface ScannersOptions {
  /** `null` where it is not on this machine: scans are then incomplete, never clean. */
  gitleaks: { path: string; version: string } | null;
  /** The same; `left_out` scans for secrets alone and says nothing of code. */
  astGrep: Omit<AstGrepOptions, 'sandbox' | 'limiter'> | null | 'left_out';
  /** An existing or new folder in which nothing is kept. */
  workFolder: string;
  /** Files larger than this are counted, not read. */
  blobMaxBytes: number;
  /** For all scanners of one repository together, without what they wait for their turn. */
  scanTimeoutMs: number;
  /** Programs that look at files, at once. */
  atOnce: number;
  /** More findings than this of one scanner make its run fail. */
  maxFindings?: number;
}

type ScanInput = Parameters<Scanners['scan']>[0];

/** All scanners of this installation, and how they are kept from the network here. */
export function createScanners(options: ScannersOptions): Scanners & { isolation(): Promise<Isolation> } {
  const { gitleaks, astGrep, workFolder, blobMaxBytes } = options;
  mkdirSync(workFolder, { recursive: true, mode: 0o700 });
  const sandbox = createSandbox({ folder: workFolder });
  const places = {
    limiter: createLimiter(options.atOnce),
    smallScanLimiter: createLimiter(Math.max(1, Math.floor(options.atOnce / 2))),
  };
  const scanners: Scanner[] = [
    gitleaks === null
      ? missing(SECRETS_SCANNER, () => true)
      : createGitleaks({ ...gitleaks, blobMaxBytes, sandbox, ...places }),
  ];
  if (astGrep !== 'left_out')
    scanners.push(
      astGrep === null ? missing('ast-grep', hasCode) : createAstGrep({ ...astGrep, sandbox, ...places }),
    );
  return {
    rules: rulesOf(scanners),
    isolation: () => sandbox.isolation(),
    scan: (input) => scan({ options, scanners, input }),
  };
}

function rulesOf(scanners: readonly Scanner[]): string {
  const parts = scanners.map(({ name, version, rules }) => [name, version, rules]);
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

interface Work {
  options: ScannersOptions;
  scanners: readonly Scanner[];
  input: ScanInput;
}

async function scan({ options, scanners, input }: Work): Promise<ScanReport> {
  if (input.signal.aborted) throw canceled();
  const stopwatch = createDeadline(options.scanTimeoutMs);
  const signal = AbortSignal.any([input.signal, stopwatch.signal]);
  const settled = <T>(work: Promise<T>) => settle({ deadline: stopwatch.signal, outer: input.signal }, work);
  const folder = await mkdtemp(join(input.workDirectory, 'scan-'));
  const { blobMaxBytes, maxFindings = MAX_FINDINGS } = options;
  const { history, concurrentScans = 0, hash } = input;
  let snapshot: Settled<Snapshot> | null = null;
  try {
    snapshot = await settled(takeSnapshot({ ...input, folder, blobMaxBytes, signal }));
    const ran: Ran[] = [];
    for (const scanner of scanners) {
      const how = { history, concurrentScans, signal, stopwatch, maxFindings, folder };
      ran.push(await runScanner({ scanner, snapshot, settled, ...how }));
    }
    return await reportOf({ ran, snapshot, settled, hash });
  } finally {
    stopwatch.close();
    if (snapshot?.ok === true) await snapshot.value.git.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

type Settled<T> = { ok: true; value: T } | { ok: false; cause: 'scan_timed_out' | 'scanner_crashed' };
type Settle = <T>(work: Promise<T>) => Promise<Settled<T>>;

/** What is expected to go wrong becomes a cause; a cancel and what nobody expects go on. */
async function settle<T>(
  { deadline, outer }: { deadline: AbortSignal; outer: AbortSignal },
  work: Promise<T>,
): Promise<Settled<T>> {
  try {
    return { ok: true, value: await work };
  } catch (err) {
    if (outer.aborted) throw canceled();
    if (deadline.aborted) return { ok: false, cause: 'scan_timed_out' };
    if (isSecuError(err, 'scanner_crashed')) return { ok: false, cause: 'scanner_crashed' };
    throw err;
  }
}

interface Ran {
  run: ScannerRun;
  files: readonly FoundInFile[];
}

async function runScanner(work: {
  scanner: Scanner;
  snapshot: Settled<Snapshot>;
  settled: Settle;
  history: 'none' | 'full';
  concurrentScans: number;
  signal: AbortSignal;
  stopwatch: Deadline;
  maxFindings: number;
  /** Of the whole scan. */
  folder: string;
}): Promise<Ran> {
  const { scanner, snapshot, settled, maxFindings } = work;
  const { name, version, rules } = scanner;
  const startedAt = performance.now();
  const ran = (how: Partial<ScannerRun> & Pick<ScannerRun, 'status'>, files: readonly FoundInFile[] = []) => {
    const none = { cause: null, findings: 0, filesScanned: 0, filesSkipped: [] };
    const durationMs = Math.round(performance.now() - startedAt);
    return { run: { name, version, rules, ...none, ...how, durationMs }, files };
  };
  if (snapshot.ok && !scanner.applies(snapshot.value)) return ran({ status: 'not_applicable' });
  if (version === null) return ran({ status: 'unavailable' });
  if (!snapshot.ok) return ran({ status: 'failed', cause: snapshot.cause });
  const folder = await mkdtemp(join(work.folder, `${name}-`));
  const result = await settled(
    scanner.scan({ ...work, folder, snapshot: snapshot.value }).then((value) => {
      const findings = value.files.reduce((count, { found }) => count + found.length, 0);
      if (findings > maxFindings) throw tooMany(findings);
      return { ...value, findings };
    }),
  );
  if (!result.ok) return ran({ status: 'failed', cause: result.cause });
  const { files, findings, filesScanned, filesSkipped } = result.value;
  return ran({ status: 'ok', findings, filesScanned, filesSkipped: together(filesSkipped) }, files);
}

/** What was found becomes findings only when all have looked: each masks what the others found on its lines. */
async function reportOf(work: {
  ran: readonly Ran[];
  snapshot: Settled<Snapshot>;
  settled: Settle;
  hash: ScanInput['hash'];
}): Promise<ScanReport> {
  const { ran, snapshot, settled, hash } = work;
  const runs = ran.map(({ run }) => run);
  const files = ran.flatMap((one) => one.files);
  if (!snapshot.ok) return { runs, findings: [] };
  const showsLines = runs.some(({ name, status }) => name === SECRETS_SCANNER && status === 'ok');
  const { git } = snapshot.value;
  const findings = await settled<ScannedFinding[]>(
    (async () => {
      const found = files.length === 0 ? [] : await toFindings({ files, git, hash, showsLines });
      await git.close();
      return found;
    })(),
  );
  if (findings.ok) return { runs, findings: findings.value };
  const failed = { status: 'failed', cause: findings.cause, findings: 0 } as const;
  return { runs: runs.map((run) => (run.status === 'ok' ? { ...run, ...failed } : run)), findings: [] };
}

function together(lists: readonly SkippedFiles[]): SkippedFiles[] {
  const byReason = Map.groupBy(lists, ({ reason }) => reason);
  return [...byReason].map(([reason, same]) => ({
    reason,
    count: same.reduce((sum, { count }) => sum + count, 0),
  }));
}

function missing(name: string, applies: Scanner['applies']): Scanner {
  return {
    name,
    version: null,
    rules: null,
    applies,
    scan: () => Promise.reject(new SecuError('tool_unavailable', `${name} is not on this machine`)),
  };
}

function tooMany(findings: number): SecuError {
  return new SecuError('scanner_crashed', 'more was found than can be stored', {
    details: { problem: 'too_many_findings', findings },
  });
}
