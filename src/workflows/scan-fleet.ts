import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  continueAsNew,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  patched,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { TakenPage, TakenScan } from '../activities/scan/fleet.ts';
import type { FleetInput } from './contract.ts';
import { scanWorkflowId } from './contract.ts';
import { changedSignal } from './integration.ts';
import { database, localActivities } from './proxies.ts';
import { repositoryScanWorkflow } from './repository-scan.ts';
import { verify } from './verify.ts';

/** A scan that had to wait (disk, an outage) is not taken again at once. */
const WAIT_BEFORE_ANOTHER_TRY = '30s';

/**
 * Runs what is queued for one integration: children in a window, taken by priority. Ends when nothing waits; whoever
 * queues a scan wakes it or starts it again.
 */
export async function scanFleetWorkflow(input: FleetInput): Promise<void> {
  /** Repositories, each of which has one workflow at a time. */
  const running = new Set<string>();
  try {
    await runQueued(input, running);
  } catch (err) {
    // their cancellation is asked for; a fleet that closed before would leave them behind
    if (isCancellation(err))
      await CancellationScope.nonCancellable(() => condition(() => running.size === 0));
    throw err;
  }
}

async function runQueued({ integrationId }: FleetInput, running: Set<string>): Promise<void> {
  let changed = false;
  setHandler(changedSignal, () => {
    changed = true;
  });
  const held = new Set<string>();
  const lost: unknown[] = [];
  let started = 0;
  /** Scans that run elsewhere stay held, and do not keep this workflow. */
  const elsewhere = new Set<string>();
  const isIdle = () => held.size === elsewhere.size;

  for (;;) {
    changed = false;
    const page = await takePage({ integrationId, exclude: [...held] });
    const taken = [...page.scans];
    for (const scan of taken) held.add(scan.scanId);
    for (let scan = taken.shift(); scan !== undefined; scan = taken.shift()) {
      const { scanId, repositoryId } = scan;
      // the next scan of a repository may be queued a moment before the workflow of the last one closes
      const isFree = () => running.size < page.window && !running.has(repositoryId);
      if (!isFree()) {
        await condition(() => isFree() || lost.length > 0);
        // one that ended is rarely the only one of that moment
        if (patched('linger')) await localActivities().linger();
      }
      if (lost.length > 0) throw lost[0];
      running.add(repositoryId);
      started += 1;
      void runScan(integrationId, scan)
        .finally(() => running.delete(repositoryId))
        .then(async (ending) => {
          if (ending === 'elsewhere') {
            elsewhere.add(scanId);
            return;
          }
          if (ending === 'waits') {
            await sleep(WAIT_BEFORE_ANOTHER_TRY);
            changed = true;
          }
          held.delete(scanId);
        })
        .catch((err: unknown) => lost.push(err));
    }
    setCurrentDetails(`${started} scans started in this run, ${running.size} running.`);
    const isFull = () => started >= page.perRun || workflowInfo().continueAsNewSuggested;
    if (page.scans.length === 0 || isFull()) {
      await condition(() => isIdle() || lost.length > 0 || (changed && !isFull()));
      if (lost.length > 0) throw lost[0];
      if (isFull()) await continueAsNew<typeof scanFleetWorkflow>({ integrationId });
      if (page.scans.length === 0 && !changed) return;
    }
  }
}

/** A page of clones begins with a token that was seen to live a short while ago. */
async function takePage(input: { integrationId: string; exclude: string[] }): Promise<TakenPage> {
  const page = await database().takeQueuedScans({ ...input, verified: false, nowMs: Date.now() });
  if (!page.stale) return page;
  await verify(input.integrationId, null);
  return database().takeQueuedScans({ ...input, verified: true, nowMs: Date.now() });
}

type Ending = 'ended' | 'waits' | 'elsewhere';

/** One child, to its end; its row is final whatever happened to it, or waits in the queue again. */
async function runScan(integrationId: string, { scanId, repositoryId }: TakenScan): Promise<Ending> {
  try {
    const result = await executeChild(repositoryScanWorkflow, {
      workflowId: scanWorkflowId(repositoryId),
      args: [{ integrationId, repositoryId, scanId }],
      // a fleet that is canceled cancels them; one that is ended from outside leaves them to end their rows
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `Scan ${scanId}`,
    });
    return result.status === 'requeued' ? 'waits' : 'ended';
  } catch (err) {
    if (err instanceof WorkflowExecutionAlreadyStartedError) return 'elsewhere';
    if (CancellationScope.current().consideredCancelled || !(err instanceof ChildWorkflowFailure)) throw err;
    // somebody canceled this one scan: it ended its row itself
    if (!isCancellation(err)) await endLostScan(scanId);
    return 'ended';
  }
}

async function endLostScan(scanId: string): Promise<void> {
  try {
    await database().endScan({ scanId, status: 'failed', cause: 'scanner_crashed', nowMs: Date.now() });
  } catch (err) {
    if (!(err instanceof ActivityFailure)) throw err;
  }
}
