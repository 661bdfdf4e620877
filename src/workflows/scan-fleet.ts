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
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { QueuedPage, QueuedScan } from '../activities/scan/fleet.ts';
import type { FleetInput } from './contract.ts';
import { scanWorkflowId } from './contract.ts';
import { changedSignal } from './integration.ts';
import { database, localActivities } from './proxies.ts';
import { repositoryScanWorkflow } from './repository-scan.ts';
import { verify } from './verify.ts';

/**
 * Runs the queued scans of one integration as children, by priority and with limited concurrency. Ends when no
 * scan waits. Code that queues a scan wakes it or starts it again.
 */
export async function scanFleetWorkflow({ integrationId }: FleetInput): Promise<void> {
  const fleet = new Fleet(integrationId);
  setHandler(changedSignal, () => fleet.wake());
  try {
    await fleet.runQueued();
  } catch (err) {
    // the children were asked to cancel; the fleet waits for them, so that they do not lose their parent
    if (isCancellation(err)) await CancellationScope.nonCancellable(() => fleet.allChildrenClosed());
    throw err;
  }
}

class Fleet {
  private readonly integrationId: string;
  /** Repositories with a running child. Each has one scan at a time. */
  private readonly busyRepositories = new Set<string>();
  /** Scans that this run started; `takePage` excludes them. */
  private readonly heldScans = new Set<string>();
  /** Held scans whose repository is scanned by another workflow. They do not keep this workflow open. */
  private readonly scannedElsewhere = new Set<string>();
  /** Running scans that may wait for others, such as those of histories. */
  private runningBackground = 0;
  private startedScans = 0;
  /** A scan that ended has queued another one. The fleet reads the queue again before it ends. */
  private hasQueuedMore = false;
  private wasWoken = false;
  private failure: { reason: unknown } | null = null;

  constructor(integrationId: string) {
    this.integrationId = integrationId;
  }

  wake(): void {
    this.wasWoken = true;
  }

  async allChildrenClosed(): Promise<void> {
    await condition(() => this.busyRepositories.size === 0);
  }

  async runQueued(): Promise<void> {
    for (;;) {
      this.wasWoken = false;
      this.hasQueuedMore = false;
      const page = await this.takePage();
      await this.startPage(page);
      setCurrentDetails(
        `${this.startedScans} scans started in this run, ${this.busyRepositories.size} running.`,
      );
      if (page.scans.length > 0 && !this.isRunFull(page)) continue;
      await this.waitForChange(page);
      if (this.isRunFull(page))
        await continueAsNew<typeof scanFleetWorkflow>({ integrationId: this.integrationId });
      const isEmpty = page.scans.length === 0 && page.nextTryMs === null;
      if (isEmpty && !this.wasWoken && !this.hasQueuedMore) return;
    }
  }

  /** Takes the next queued scans. A token that was not verified recently is verified first. */
  private async takePage(): Promise<QueuedPage> {
    const { integrationId } = this;
    const input = { integrationId, exclude: [...this.heldScans] };
    const page = await database().takeQueuedScans({ ...input, verified: false, nowMs: Date.now() });
    if (!page.stale) return page;
    await verify(integrationId, null);
    return database().takeQueuedScans({ ...input, verified: true, nowMs: Date.now() });
  }

  /** Starts the scans in their order. A wake ends this early, because a more urgent scan may be queued now. */
  private async startPage({ scans, window }: QueuedPage): Promise<void> {
    for (const { scanId } of scans) this.heldScans.add(scanId);
    const waiting = [...scans];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (await this.startWhenFree(next, window)) continue;
      for (const { scanId } of [next, ...waiting]) this.heldScans.delete(scanId);
      return;
    }
  }

  /** @returns false if the fleet was woken before the scan could start */
  private async startWhenFree(scan: QueuedScan, window: number): Promise<boolean> {
    if (!this.isFree(scan, window)) {
      await condition(() => this.isFree(scan, window) || this.failure !== null || this.wasWoken);
      this.throwIfFailed();
      if (!this.isFree(scan, window)) return false;
      // scans often end together: a short wait handles them in one workflow task
      await localActivities().linger();
    }
    this.throwIfFailed();
    this.busyRepositories.add(scan.repositoryId);
    this.startedScans += 1;
    void this.runChild(scan);
    return true;
  }

  /** Background scans use at most half of the window, so that a more urgent scan starts soon. */
  private isFree({ repositoryId, background }: QueuedScan, window: number): boolean {
    // the next scan of a repository may be queued just before the workflow of its previous scan closes
    if (this.busyRepositories.size >= window || this.busyRepositories.has(repositoryId)) return false;
    return background !== true || this.runningBackground < Math.max(1, Math.floor(window / 2));
  }

  private async runChild(scan: QueuedScan): Promise<void> {
    const background = scan.background === true ? 1 : 0;
    this.runningBackground += background;
    try {
      const outcome = await scanInChild(this.integrationId, scan);
      if (outcome === 'elsewhere') this.scannedElsewhere.add(scan.scanId);
      else this.heldScans.delete(scan.scanId);
      // the scan is queued again; the next page shows whether it is due now or later
      if (outcome === 'requeued') this.wasWoken = true;
      if (outcome === 'queued_more') this.hasQueuedMore = true;
    } catch (err) {
      this.failure ??= { reason: err };
    } finally {
      this.runningBackground -= background;
      this.busyRepositories.delete(scan.repositoryId);
    }
  }

  private isRunFull(page: QueuedPage): boolean {
    return this.startedScans >= page.perRun || workflowInfo().continueAsNewSuggested;
  }

  private async waitForChange(page: QueuedPage): Promise<void> {
    const mustAct = () => this.failure !== null || (this.wasWoken && !this.isRunFull(page));
    const isIdle = () => this.heldScans.size === this.scannedElsewhere.size;
    // a scan with a later retry keeps the fleet open until then
    if (page.nextTryMs !== null && !this.isRunFull(page))
      await condition(mustAct, Math.max(1, page.nextTryMs - Date.now()));
    else await condition(() => isIdle() || mustAct());
    this.throwIfFailed();
  }

  private throwIfFailed(): void {
    if (this.failure !== null) throw this.failure.reason;
  }
}

type ChildOutcome = 'ended' | 'queued_more' | 'requeued' | 'elsewhere';

/** Runs one child until it closes. Its row is then final or queued again. */
async function scanInChild(
  integrationId: string,
  { scanId, repositoryId }: QueuedScan,
): Promise<ChildOutcome> {
  try {
    const result = await executeChild(repositoryScanWorkflow, {
      workflowId: scanWorkflowId(repositoryId),
      args: [{ integrationId, repositoryId, scanId }],
      // a canceled fleet cancels its children; those of a terminated fleet finish and end their rows
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `Scan ${scanId}`,
    });
    if (result.status === 'requeued') return 'requeued';
    return result.queuedMore === true ? 'queued_more' : 'ended';
  } catch (err) {
    if (err instanceof WorkflowExecutionAlreadyStartedError) return 'elsewhere';
    if (CancellationScope.current().consideredCancelled || !(err instanceof ChildWorkflowFailure)) throw err;
    // a canceled child has ended its row itself
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
