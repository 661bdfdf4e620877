import type { Database } from '../../db/database.ts';
import type { Stores } from '../../db/stores/index.ts';
import type { OutboxEntry } from '../../db/stores/outbox.ts';
import type { EndedRow } from '../../db/stores/scan-attempts.ts';
import type { ScanCause } from '../../domain/causes.ts';
import type { ScannerRun } from '../../domain/scan.ts';
import type { Log } from '../../log/logger.ts';
import type { ActivityMetrics } from '../../metrics/activities.ts';
import { addRequestIdToLog } from '../log-request-id.ts';

/**
 * Ends a scan without a result. Its findings stay unchanged, because nothing was scanned.
 * @returns false if the scan had already ended, or another attempt ended it
 */
export async function endFailedScan(input: {
  database: Database;
  log: Log;
  metrics: Pick<ActivityMetrics, 'scanEnded'>;
  scanId: string;
  attempt: number | null;
  status: 'failed' | 'canceled';
  cause: ScanCause;
  runs?: readonly ScannerRun[];
  commit?: string | null;
  now: Date;
}): Promise<boolean> {
  const ended = await input.database.transaction(async (tx) => {
    const ended = await tx.scans.end({
      id: input.scanId,
      attempt: input.attempt,
      status: input.status,
      outcome: null,
      cause: input.cause,
      commit: input.commit ?? null,
      cloneBytes: null,
      cloneMs: null,
      now: input.now,
    });
    if (ended === null) return null;
    if (input.runs !== undefined) await tx.scans.recordScanners({ scanId: input.scanId, runs: input.runs });
    const { repositoryId, trigger } = ended;
    const { scanId, cause, now } = input;
    // if only the history could not be read, the result of the head stays
    if (trigger === 'history') await tx.histories.recordFailure({ repositoryId, cause, now });
    else
      await tx.findings.markScanned({
        repositoryId,
        scanId,
        commit: null,
        rules: null,
        succeeded: false,
        now,
      });
    await addFailureEvent({ tx, ended, input });
    // the dispatcher sends the wake
    await queueHookScanAgain({ tx, ended, now: input.now });
    return ended;
  });
  if (ended === null) return false;
  addRequestIdToLog(input.log, ended.requestId);
  const { status, cause, runs = [] } = input;
  const nothing = { outcome: null, cloneMs: null, cloneBytes: null };
  input.metrics.scanEnded({ ...ended, ...nothing, status, cause, runs });
  return true;
}

/**
 * The scan of what a hook announced while another one ran, which may have cloned before the push. However that one
 * ended, the announced commits are still to be read.
 */
export async function queueHookScanAgain(input: {
  tx: Stores;
  ended: Pick<EndedRow, 'again' | 'repositoryId' | 'integrationId'>;
  now: Date;
}): Promise<OutboxEntry[]> {
  const { tx, ended, now } = input;
  const { repositoryId, integrationId } = ended;
  if (!ended.again || !(await tx.scans.requestHookScan({ repositoryId, now }))) return [];
  return [await tx.outbox.add({ kind: 'wake_fleet', integrationId, now })];
}

async function addFailureEvent({
  tx,
  ended,
  input,
}: {
  tx: Stores;
  ended: { repositoryId: string; integrationId: string; requestId: string | null };
  input: { scanId: string; status: 'failed' | 'canceled'; cause: ScanCause; now: Date };
}): Promise<void> {
  const repository = await tx.repositories.find(ended.repositoryId);
  const verb = input.status === 'failed' ? 'failed' : 'was canceled';
  await tx.events.add(
    [
      {
        kind: 'scan.failed',
        integrationId: ended.integrationId,
        repositoryId: ended.repositoryId,
        actor: 'system',
        text: `The scan of ${repository?.fullPath ?? ended.repositoryId} ${verb}: ${input.cause}.`,
        data: { scanId: input.scanId, status: input.status, cause: input.cause, requestId: ended.requestId },
      },
    ],
    input.now,
  );
}
