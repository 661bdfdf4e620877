import { newId } from '../../../src/db/new-id.ts';
import type { ScanResult } from '../../../src/domain/scan.ts';
import { BACKGROUND_PRIORITY } from '../../../src/domain/scan.ts';
import type { AllActivities } from './activities.ts';
import { activitiesWith } from './activities.ts';

export interface QueuedScan {
  scanId: string;
  repositoryId: string;
  priority: number;
  status: 'queued' | 'running' | 'ended';
  /**
   * The scan is not taken before this time of the workflow clock; `undefined` until the first page after its
   * requeue.
   */
  retryAtMs?: number | undefined;
  requeued: boolean;
  /** How its row ended. */
  ending: string | null;
}

/** The scans of one integration in memory, like their rows. */
export interface FleetQueue {
  scans: QueuedScan[];
  window: number;
  perRun: number;
  /** IDs in the order in which the scans started. */
  begun: string[];
  atOnce: number;
  maxConcurrent: number;
  takes: number;
  /** The token must be verified before the next page. */
  stale: boolean;
  verifications: number;
}

export function fleetQueue({
  count = 0,
  window = 8,
  perRun = 800,
}: {
  count?: number;
  window?: number;
  perRun?: number;
} = {}): FleetQueue {
  const queue = {
    scans: [],
    window,
    perRun,
    begun: [],
    atOnce: 0,
    maxConcurrent: 0,
    takes: 0,
    stale: false,
    verifications: 0,
  };
  for (let index = 0; index < count; index += 1) addScan(queue);
  return queue;
}

export function addScan(queue: FleetQueue, own: Partial<QueuedScan> = {}): QueuedScan {
  const scan: QueuedScan = {
    scanId: newId('scan'),
    repositoryId: newId('repository'),
    priority: 3,
    status: 'queued',
    requeued: false,
    ending: null,
    ...own,
  };
  queue.scans.push(scan);
  return scan;
}

/** The result of a fake scan activity, or an error. */
export type Scan = (scan: QueuedScan) => Promise<Partial<ScanResult> | undefined>;

export function activitiesOverQueue(
  queue: FleetQueue,
  scan: Scan = async () => undefined,
  own: Partial<AllActivities> = {},
): AllActivities {
  return activitiesWith({
    async takeQueuedScans({ exclude, verified, nowMs }) {
      queue.takes += 1;
      const { window, perRun } = queue;
      if (queue.stale && !verified) return { scans: [], window, perRun, stale: true, nextTryMs: null };
      for (const row of queue.scans) if (row.requeued) row.retryAtMs ??= nowMs + RETRY_MS;
      const waiting = queue.scans
        .filter(({ status, scanId }) => status === 'queued' && !exclude.includes(scanId))
        .filter(({ retryAtMs }) => retryAtMs === undefined || retryAtMs <= nowMs)
        .toSorted((a, b) => a.priority - b.priority || (a.scanId < b.scanId ? -1 : 1))
        .slice(0, 50);
      return {
        scans: waiting.map(({ scanId, repositoryId, priority }) => ({
          scanId,
          repositoryId,
          background: priority >= BACKGROUND_PRIORITY,
        })),
        window,
        perRun,
        stale: false,
        nextTryMs: waiting.length > 0 ? null : earliestRetryMs(queue),
      };
    },
    async verifyToken() {
      queue.verifications += 1;
      queue.stale = false;
      return { status: 'active', suspicion: false };
    },
    async scanRepository({ scanId }) {
      const row = rowOf(queue, scanId);
      queue.begun.push(scanId);
      row.status = 'running';
      queue.atOnce += 1;
      queue.maxConcurrent = Math.max(queue.maxConcurrent, queue.atOnce);
      try {
        const result = await scan(row);
        row.status = result?.status === 'requeued' ? 'queued' : 'ended';
        row.requeued = row.status === 'queued';
        row.retryAtMs = undefined;
        if (row.status === 'ended') row.ending = 'activity';
        return { scanId, status: 'succeeded', outcome: 'clean', cause: null, findings: 0, ...result };
      } finally {
        queue.atOnce -= 1;
      }
    },
    async endScan({ scanId, status, cause }) {
      const row = rowOf(queue, scanId);
      row.status = 'ended';
      row.ending = `${status}: ${cause}`;
    },
    ...own,
  });
}

/** How long a requeued scan waits in these tests. */
const RETRY_MS = 30_000;

function earliestRetryMs(queue: FleetQueue): number | null {
  const waiting = queue.scans.flatMap(({ status, retryAtMs }) =>
    status === 'queued' && retryAtMs !== undefined ? [retryAtMs] : [],
  );
  return waiting.length === 0 ? null : Math.min(...waiting);
}

function rowOf(queue: FleetQueue, scanId: string): QueuedScan {
  const row = queue.scans.find((scan) => scan.scanId === scanId);
  if (row === undefined) throw new Error('no such scan');
  return row;
}
