import { ActivityFailure, ApplicationFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import type { ScanResult, ScanTask } from '../domain/scan.ts';
import { database, scanning } from './proxies.ts';

/**
 * Clones and scans one repository in one activity. The scan's row always gets a final state or returns to the
 * queue: from the activity, or from this workflow if the activity fails.
 */
export async function repositoryScanWorkflow(input: ScanTask): Promise<ScanResult> {
  try {
    return await scanning().scanRepository(input);
  } catch (err) {
    const canceled = isCancellation(err);
    const ending = canceled
      ? { status: 'canceled' as const, cause: 'canceled' as const }
      : { status: 'failed' as const, cause: scanCauseOf(err) };
    await CancellationScope.nonCancellable(() =>
      database().endScan({ scanId: input.scanId, ...ending, nowMs: Date.now() }),
    );
    if (canceled) throw err;
    return { scanId: input.scanId, outcome: null, findings: 0, ...ending };
  }
}

/** The error code of the activity. Repeated timeouts, from workers that disappeared, count as a crash. */
function scanCauseOf(err: unknown): string {
  if (!(err instanceof ActivityFailure)) throw err;
  return err.cause instanceof ApplicationFailure ? (err.cause.type ?? 'scanner_crashed') : 'scanner_crashed';
}
