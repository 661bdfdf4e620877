import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor, WorkerOptions, WorkflowBundle } from '@temporalio/worker';
import { NativeConnection, Worker } from '@temporalio/worker';
import { SecuError } from '../domain/errors.ts';
import type { Log } from '../log/logger.ts';
import { rotationQueue, taskQueues } from '../workflows/contract.ts';
import type { TemporalAddress } from './connection.ts';

export type QueueName = keyof ReturnType<typeof taskQueues>;

export interface WorkerParts {
  connection: NativeConnection;
  namespace: string;
  queuePrefix?: string;
  identity: string;
  activities: object;
  interceptor: (context: Context) => ActivityInboundCallsInterceptor;
  /** Maximum concurrent activities. */
  slots: number;
  /** Only the orchestration queue runs workflows. */
  workflowBundle?: WorkflowBundle | { codePath: string };
  maxCachedWorkflows?: number;
}

const CONNECT_DELAYS_MS = [200, 500, 1_000, 2_000, 4_000, 4_000, 4_000];

/** Connects; retries for 16 s, because the Temporal server may be starting too. @throws SecuError `temporal_unavailable` */
export async function connectWorker({
  address,
  apiKey,
  tls,
  log,
}: TemporalAddress & { log: Log }): Promise<NativeConnection> {
  for (const waitMs of [...CONNECT_DELAYS_MS, null]) {
    try {
      return await NativeConnection.connect({
        address,
        ...(apiKey === undefined ? {} : { apiKey }),
        ...(tls === undefined ? {} : { tls }),
      });
    } catch (err) {
      if (waitMs === null)
        throw new SecuError('temporal_unavailable', 'the Temporal server does not answer', { cause: err });
      log.warn({ waitMs }, 'Temporal does not answer yet');
      await delay(waitMs);
    }
  }
  throw new SecuError('temporal_unavailable', 'the Temporal server does not answer');
}

/** One worker for one queue. */
export async function createQueueWorker(queue: QueueName, parts: WorkerParts): Promise<Worker> {
  return Worker.create({
    ...optionsOf(parts),
    taskQueue: taskQueues(parts.queuePrefix ?? '')[queue],
    shutdownGraceTime: '10s',
    shutdownForceTime: '25s',
  });
}

/** Longer than any rotation, so that shutdown does not interrupt one. */
const ROTATION_GRACE_TIME = '4m';
const ROTATION_FORCE_TIME = '5m';
const ROTATION_SLOTS = 4;

/** The worker's own queue: rotations on it are journalled by this worker. */
export async function createRotationWorker(
  parts: Omit<WorkerParts, 'slots' | 'workflowBundle'> & { workerId: string },
): Promise<Worker> {
  return Worker.create({
    ...optionsOf({ ...parts, slots: ROTATION_SLOTS }),
    taskQueue: rotationQueue(parts.workerId, parts.queuePrefix),
    shutdownGraceTime: ROTATION_GRACE_TIME,
    shutdownForceTime: ROTATION_FORCE_TIME,
  });
}

/** Heartbeats are sent at least every 2 s, so that a cancellation takes effect within 5 s. */
function optionsOf(parts: WorkerParts): Omit<WorkerOptions, 'taskQueue'> {
  return {
    connection: parts.connection,
    namespace: parts.namespace,
    identity: parts.identity,
    activities: parts.activities,
    interceptors: { activity: [(context) => ({ inbound: parts.interceptor(context) })] },
    maxConcurrentActivityTaskExecutions: parts.slots,
    maxHeartbeatThrottleInterval: '2s',
    defaultHeartbeatThrottleInterval: '2s',
    ...(parts.workflowBundle === undefined ? {} : { workflowBundle: parts.workflowBundle }),
    ...(parts.maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows: parts.maxCachedWorkflows }),
  };
}
