import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSecuError, SecuError } from '../domain/errors.ts';
import type { ScannedFinding } from '../domain/finding.ts';
import type { Scanners, ScanReport } from '../domain/ports.ts';
import type { ScannerRun, SkippedFiles } from '../domain/scan.ts';
import { createGitleaks } from './gitleaks/gitleaks.ts';
import type { Isolation } from './sandbox.ts';
import { createSandbox } from './sandbox.ts';
import type { Scanner } from './scanner.ts';
import type { Snapshot } from './snapshot.ts';
import { takeSnapshot } from './snapshot.ts';

const MAX_FINDINGS = 10_000;

export interface ScannersOptions {
  /** `null` where it is not on this machine: scans are then incomplete, never clean. */
  gitleaks: { path: string; version: string } | null;
  /** An existing or new folder in which nothing is kept. */
  workFolder: string;
  /** Files larger than this are counted, not read. */
  blobMaxBytes: number;
  /** For all scanners of one repository together. */
  scanTimeoutMs: number;
  /** More findings than this of one scanner make its run fail. */
  maxFindings?: number;
}

type ScanInput = Parameters<Scanners['scan']>[0];

/** All scanners of this installation, and how they are kept from the network here. */
export function createScanners(options: ScannersOptions): Scanners & { isolation(): Promise<Isolation> } {
  const { gitleaks, workFolder, blobMaxBytes, maxFindings = MAX_FINDINGS } = options;
  mkdirSync(workFolder, { recursive: true, mode: 0o700 });
  const sandbox = createSandbox({ folder: workFolder });
  const scanners: Scanner[] = [
    gitleaks === null
      ? missing('gitleaks')
      : createGitleaks({ ...gitleaks, blobMaxBytes, maxFindings, sandbox }),
  ];
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

async function scan(work: {
  options: ScannersOptions;
  scanners: readonly Scanner[];
  input: ScanInput;
}): Promise<ScanReport> {
  const { options, scanners, input } = work;
  if (input.signal.aborted) throw canceled();
  const deadline = AbortSignal.timeout(options.scanTimeoutMs);
  const signal = AbortSignal.any([input.signal, deadline]);
  const folder = await mkdtemp(join(input.workDirectory, 'scan-'));
  const startedAt = performance.now();
  try {
    const snapshot = await settle(
      { deadline, input },
      takeSnapshot({ ...input, folder, blobMaxBytes: options.blobMaxBytes, signal }),
    );
    const runs: ScannerRun[] = [];
    const findings: ScannedFinding[] = [];
    for (const scanner of scanners) {
      const scannerFolder = await mkdtemp(join(folder, `${scanner.name}-`));
      const run = await runScanner({
        scanner,
        snapshot,
        deadline,
        input: { ...input, signal },
        outer: input,
        folder: scannerFolder,
        startedAt,
      });
      runs.push(run.run);
      findings.push(...run.findings);
    }
    return { runs, findings };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Settled<T> = { ok: true; value: T } | { ok: false; cause: 'scan_timed_out' | 'scanner_crashed' };

/** What is expected to go wrong becomes a cause; a cancel and what nobody expects go on. */
async function settle<T>(
  { deadline, input }: { deadline: AbortSignal; input: Pick<ScanInput, 'signal'> },
  work: Promise<T>,
): Promise<Settled<T>> {
  try {
    return { ok: true, value: await work };
  } catch (err) {
    if (input.signal.aborted) throw canceled();
    if (deadline.aborted) return { ok: false, cause: 'scan_timed_out' };
    if (isSecuError(err, 'scanner_crashed')) return { ok: false, cause: 'scanner_crashed' };
    throw err;
  }
}

async function runScanner(work: {
  scanner: Scanner;
  snapshot: Settled<Snapshot>;
  deadline: AbortSignal;
  input: ScanInput;
  outer: ScanInput;
  folder: string;
  startedAt: number;
}): Promise<{ run: ScannerRun; findings: ScannedFinding[] }> {
  const { scanner, snapshot, deadline, input, outer, folder, startedAt } = work;
  const { name, version, rules } = scanner;
  const run = { name, version, rules, cause: null, findings: 0, filesScanned: 0, filesSkipped: [] };
  const durationMs = () => Math.round(performance.now() - startedAt);
  if (version === null) {
    return { run: { ...run, status: 'unavailable', durationMs: durationMs() }, findings: [] };
  }
  const result = snapshot.ok
    ? await settle({ deadline, input: outer }, scanner.scan({ ...input, folder, snapshot: snapshot.value }))
    : snapshot;
  if (!result.ok) {
    return { run: { ...run, status: 'failed', cause: result.cause, durationMs: durationMs() }, findings: [] };
  }
  const { findings, filesScanned, filesSkipped } = result.value;
  const skipped = snapshot.ok ? together(snapshot.value.skipped, filesSkipped) : filesSkipped;
  return {
    run: {
      ...run,
      status: 'ok',
      findings: findings.length,
      filesScanned,
      filesSkipped: skipped,
      durationMs: durationMs(),
    },
    findings,
  };
}

function together(...lists: readonly SkippedFiles[][]): SkippedFiles[] {
  const byReason = Map.groupBy(lists.flat(), ({ reason }) => reason);
  return [...byReason].map(([reason, same]) => ({
    reason,
    count: same.reduce((sum, { count }) => sum + count, 0),
  }));
}

function missing(name: string): Scanner {
  return {
    name,
    version: null,
    rules: null,
    scan: () => Promise.reject(new SecuError('tool_unavailable', `${name} is not on this machine`)),
  };
}

function canceled(): SecuError {
  return new SecuError('canceled', 'it was asked to stop');
}
