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
import { queuesBeside, rotationQueueBeside } from './contract.ts';

/**
 * Database work: short, and possible again once the database is back, so it is retried for a week. What fails then is
 * started anew from its rows by the reconcile workflow.
 */
export function database() {
  return proxyActivities<IntegrationActivities & SyncActivities & FleetActivities>({
    startToCloseTimeout: '1m',
    scheduleToCloseTimeout: '7d',
    retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '15s' },
  });
}

/** Within the workflow's own task, which stays open as long. */
export function localActivities() {
  return proxyLocalActivities<Pick<FleetActivities, 'linger'>>({
    startToCloseTimeout: '5s',
    retry: { maximumAttempts: 3 },
  });
}

/** Outages of GitLab are results, so only Secu's own failures are retried. Slowest answer: 30 s × 4 calls. */
export function verification() {
  return proxyActivities<Pick<VerifyActivities, 'verifyToken'>>({
    taskQueue: queuesBeside(workflowInfo().taskQueue).gitlab,
    startToCloseTimeout: '3m',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 10 },
  });
}

/** A replacement also walks the whole listing to see what the new token would lose: long, so it heartbeats. */
export function replacement() {
  return proxyActivities<Pick<VerifyActivities, 'replaceToken'>>({
    taskQueue: queuesBeside(workflowInfo().taskQueue).gitlab,
    startToCloseTimeout: '6h',
    heartbeatTimeout: '10s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 10 },
  });
}

/** Which worker rotates: every worker of this queue has a journal. */
export function rotators() {
  return proxyActivities<Pick<RotationActivities, 'chooseRotator'>>({
    taskQueue: queuesBeside(workflowInfo().taskQueue).gitlab,
    startToCloseTimeout: '1m',
    scheduleToCloseTimeout: '1h',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 10 },
  });
}

/**
 * One rotation, by one worker, tried once whatever happens: two questions of up to two minutes, and the rows around
 * them. A worker that is gone before it began is noticed in half a minute.
 */
export function rotation(workerId: string) {
  return proxyActivities<Pick<RotationActivities, 'rotateToken'>>({
    taskQueue: rotationQueueBeside(workflowInfo().taskQueue, workerId),
    scheduleToStartTimeout: '30s',
    startToCloseTimeout: '8m',
    heartbeatTimeout: '10s',
    retry: { maximumAttempts: 1 },
  });
}

/** Finds the outcome of a rotation: on the worker that holds the journal or, where it is away, on any other. */
export function rotationResolver(workerId: string | null) {
  const queue = workflowInfo().taskQueue;
  return proxyActivities<Pick<RotationActivities, 'resolveRotation'>>({
    taskQueue: workerId === null ? queuesBeside(queue).gitlab : rotationQueueBeside(queue, workerId),
    scheduleToStartTimeout: workerId === null ? '1h' : '20s',
    startToCloseTimeout: '3m',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 5 },
  });
}

/**
 * The walk over a listing: long, heartbeating its cursor, resumed where it was. Eight tries without an answer make it
 * incomplete; a rate limit names its own delay.
 */
export function listing() {
  return proxyActivities<ListingActivities>({
    taskQueue: queuesBeside(workflowInfo().taskQueue).gitlab,
    startToCloseTimeout: '6h',
    scheduleToCloseTimeout: '8h',
    heartbeatTimeout: '10s',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 8 },
  });
}

/**
 * One clone and scan: its own limits end it (15 min each by default, well within the two hours), heartbeats show a
 * cancel in 5 s and a dead worker in 15 s. Five tries cover a worker that dies and a remote that stumbles.
 */
export function scanning() {
  return proxyActivities<ScanActivities>({
    taskQueue: queuesBeside(workflowInfo().taskQueue).scan,
    startToCloseTimeout: '2h',
    heartbeatTimeout: '10s',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1s', backoffCoefficient: 3, maximumInterval: '1m', maximumAttempts: 5 },
  });
}

/** The sweep: idempotent, and back in ten minutes anyway. */
export function reconciliation() {
  return proxyActivities<ReconcileActivities>({
    startToCloseTimeout: '9m',
    heartbeatTimeout: '1m',
    retry: { initialInterval: '5s', maximumAttempts: 3 },
  });
}
