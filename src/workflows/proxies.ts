import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { IntegrationActivities } from '../activities/integration.ts';
import type { ReconcileActivities } from '../activities/reconcile.ts';
import type { RotationActivities } from '../activities/rotation/activities.ts';
import type { FleetActivities } from '../activities/scan/fleet.ts';
import type { ScanActivities } from '../activities/scan/scan.ts';
import type { ListingActivities } from '../activities/sync/listing.ts';
import type { SyncActivities } from '../activities/sync/sync.ts';
import type { VerifyActivities } from '../activities/token/verify.ts';
import { rotationQueueOf, taskQueuesOf } from './contract.ts';

/**
 * Database work: short, and retried for a week, since it succeeds once the database is back. After that, the
 * reconcile workflow starts the workflow again from its rows.
 */
export function database() {
  return proxyActivities<IntegrationActivities & SyncActivities & FleetActivities>({
    startToCloseTimeout: '1m',
    scheduleToCloseTimeout: '7d',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '15s' },
  });
}

/** Runs within the workflow task, which stays open meanwhile. */
export function localActivities() {
  return proxyLocalActivities<Pick<FleetActivities, 'linger'>>({
    startToCloseTimeout: '5s',
    retry: { maximumAttempts: 3 },
  });
}

/** Outages of GitLab are results, so only internal failures are retried. Slowest answer: 30 s × 4 calls. */
export function verification() {
  return proxyActivities<Pick<VerifyActivities, 'verifyToken'>>({
    taskQueue: taskQueuesOf(workflowInfo().taskQueue).gitlab,
    startToCloseTimeout: '3m',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 10 },
  });
}

/** A replacement also walks the whole listing to find what the new token would lose, so it is long and heartbeats. */
export function replacement() {
  return proxyActivities<Pick<VerifyActivities, 'replaceToken'>>({
    taskQueue: taskQueuesOf(workflowInfo().taskQueue).gitlab,
    startToCloseTimeout: '6h',
    heartbeatTimeout: '10s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 10 },
  });
}

/** Chooses the worker that rotates. Every worker of this queue has a journal. */
export function rotators() {
  return proxyActivities<Pick<RotationActivities, 'chooseRotator'>>({
    taskQueue: taskQueuesOf(workflowInfo().taskQueue).gitlab,
    startToCloseTimeout: '1m',
    scheduleToCloseTimeout: '1h',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 10 },
  });
}

/**
 * One rotation on one worker, never retried: two requests of up to two minutes each, plus database work. A worker
 * that dies before the rotation starts is noticed within half a minute.
 */
export function rotation(workerId: string) {
  return proxyActivities<Pick<RotationActivities, 'rotateToken'>>({
    taskQueue: rotationQueueOf(workflowInfo().taskQueue, workerId),
    scheduleToStartTimeout: '30s',
    startToCloseTimeout: '8m',
    heartbeatTimeout: '10s',
    retry: { maximumAttempts: 1 },
  });
}

/** Resolves a rotation on the worker that holds the journal, or on any other if that worker does not answer. */
export function rotationResolver(workerId: string | null) {
  const queue = workflowInfo().taskQueue;
  return proxyActivities<Pick<RotationActivities, 'resolveRotation'>>({
    taskQueue: workerId === null ? taskQueuesOf(queue).gitlab : rotationQueueOf(queue, workerId),
    scheduleToStartTimeout: workerId === null ? '1h' : '20s',
    startToCloseTimeout: '3m',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 5 },
  });
}

/**
 * The walk of a listing: long, with its cursor in heartbeats, and resumed from there. After eight failed attempts
 * the listing is incomplete. A rate limit sets its own retry delay.
 */
export function listing() {
  return proxyActivities<ListingActivities>({
    taskQueue: taskQueuesOf(workflowInfo().taskQueue).gitlab,
    startToCloseTimeout: '6h',
    scheduleToCloseTimeout: '8h',
    heartbeatTimeout: '10s',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 8 },
  });
}

/**
 * One clone and scan. Their own limits end them (15 min each by default, well within two hours). Heartbeats
 * deliver a cancel within 5 s and show a dead worker within 15 s. Five attempts cover dead workers and temporary
 * failures of the remote.
 */
export function scanning() {
  return proxyActivities<ScanActivities>({
    taskQueue: taskQueuesOf(workflowInfo().taskQueue).scan,
    startToCloseTimeout: '2h',
    heartbeatTimeout: '10s',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1s', backoffCoefficient: 3, maximumInterval: '1m', maximumAttempts: 5 },
  });
}

/** The sweep. It is idempotent, and the Schedule repeats it every ten minutes. */
export function reconciliation() {
  return proxyActivities<ReconcileActivities>({
    startToCloseTimeout: '9m',
    heartbeatTimeout: '1m',
    retry: { initialInterval: '5s', maximumAttempts: 3 },
  });
}
