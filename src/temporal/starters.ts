import type { Client } from '@temporalio/client';
import {
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  ServiceError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { SecuError } from '../domain/errors.ts';
import type { Starters } from '../domain/ports.ts';
import {
  CHANGED_SIGNAL,
  fleetWorkflowId,
  INTEGRATION_ID_ATTRIBUTE,
  integrationWorkflowId,
  reconcileWorkflowId,
  scanWorkflowId,
  syncWorkflowId,
  taskQueues,
  WORKFLOW_TYPES,
} from '../workflows/contract.ts';

/** A start that gets no answer in this time counts as "Temporal is away": the outbox keeps what it was about. */
const DEADLINE_MS = 5_000;

const ID_OF = {
  integration: integrationWorkflowId,
  sync: syncWorkflowId,
  fleet: fleetWorkflowId,
  scan: scanWorkflowId,
} as const;

export function createStarters({
  client,
  queuePrefix = '',
}: {
  client: Client;
  queuePrefix?: string;
}): Starters {
  const taskQueue = taskQueues(queuePrefix).orchestration;

  async function ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await client.withDeadline(Date.now() + DEADLINE_MS, work);
    } catch (err) {
      if (isAway(err))
        throw new SecuError('temporal_unavailable', 'the Temporal server does not answer', { cause: err });
      throw err;
    }
  }

  async function wake(type: 'integration' | 'fleet', integrationId: string): Promise<void> {
    await ask(() =>
      client.workflow.signalWithStart(WORKFLOW_TYPES[type], {
        workflowId: ID_OF[type](integrationId),
        taskQueue,
        args: [{ integrationId }],
        signal: CHANGED_SIGNAL,
        signalArgs: [],
        staticSummary: `${type === 'fleet' ? 'Scans of' : 'Looks after'} ${integrationId}`,
        typedSearchAttributes: [{ key: INTEGRATION_ID_ATTRIBUTE, value: integrationId }],
      }),
    );
  }

  async function cancel(workflowId: string): Promise<void> {
    try {
      await ask(() => client.workflow.getHandle(workflowId).cancel());
    } catch (err) {
      if (!(err instanceof WorkflowNotFoundError)) throw err;
    }
  }

  return {
    wakeIntegration: (integrationId) => wake('integration', integrationId),
    wakeFleet: (integrationId) => wake('fleet', integrationId),
    cancelScan: (repositoryId) => cancel(scanWorkflowId(repositoryId)),
    async cancelAll(integrationId) {
      await cancel(fleetWorkflowId(integrationId));
      await cancel(syncWorkflowId(integrationId));
    },
    async isOpen(kind, id) {
      try {
        const description = await ask(() => client.workflow.getHandle(ID_OF[kind](id)).describe());
        return description.status.name === 'RUNNING';
      } catch (err) {
        if (err instanceof WorkflowNotFoundError) return false;
        throw err;
      }
    },
  };
}

/** gRPC says unavailable, deadline exceeded, canceled by it, or no such namespace yet. */
function isAway(err: unknown): boolean {
  if (err instanceof ServiceError) return isAway(err.cause);
  return (
    isGrpcServiceError(err) && [1, 4, 5, 8, 14].includes(err.code) && !(err instanceof WorkflowNotFoundError)
  );
}

const RECONCILE_EVERY = '10 minutes';

/** The sweep: a Schedule every ten minutes, and once now. */
export async function ensureReconcileSchedule({
  client,
  queuePrefix = '',
}: {
  client: Client;
  queuePrefix?: string;
}): Promise<void> {
  const scheduleId = reconcileWorkflowId(queuePrefix);
  const taskQueue = taskQueues(queuePrefix).orchestration;
  try {
    await client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: RECONCILE_EVERY }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
      action: {
        type: 'startWorkflow',
        workflowType: WORKFLOW_TYPES.reconcile,
        workflowId: scheduleId,
        taskQueue,
        args: [],
      },
      state: { triggerImmediately: true },
    });
  } catch (err) {
    if (!(err instanceof ScheduleAlreadyRunning)) throw err;
    // after one that runs: that one may have looked before whatever stopped us
    await client.schedule.getHandle(scheduleId).trigger(ScheduleOverlapPolicy.BUFFER_ONE);
  }
}
