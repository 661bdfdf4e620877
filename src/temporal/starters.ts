import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import {
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  ServiceError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { SecuError } from '../domain/errors.ts';
import type { Starters, WorkflowState } from '../domain/ports.ts';
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

/** A start without an answer in this time counts as "Temporal is unavailable": the outbox keeps the wake. */
const DEADLINE_MS = 5_000;

/**
 * A workflow task with this many attempts is not only delayed by a restart: its code throws, or does not match its history. The
 * first retry is immediate, each later one follows the task timeout of ten seconds (Temporal docs, "Workflow Task").
 */
const STUCK_AFTER_TRIES = 5;

const ID_OF = {
  integration: integrationWorkflowId,
  sync: syncWorkflowId,
  fleet: fleetWorkflowId,
  scan: scanWorkflowId,
} as const;

export function createStarters({
  client,
  queuePrefix = '',
  stuckAfterTries = STUCK_AFTER_TRIES,
}: {
  client: Client;
  queuePrefix?: string;
  stuckAfterTries?: number;
}): Starters {
  const taskQueue = taskQueues(queuePrefix).orchestration;

  const { call, callIfRunning } = createTemporalCalls(client);

  async function wake(type: 'integration' | 'fleet', integrationId: string): Promise<void> {
    await call(() =>
      client.workflow.signalWithStart(WORKFLOW_TYPES[type], {
        workflowId: ID_OF[type](integrationId),
        taskQueue,
        args: [{ integrationId }],
        signal: CHANGED_SIGNAL,
        signalArgs: [],
        staticSummary: `${type === 'fleet' ? 'Scans of' : 'Manages'} ${integrationId}`,
        typedSearchAttributes: [{ key: INTEGRATION_ID_ATTRIBUTE, value: integrationId }],
      }),
    );
  }

  async function cancel(workflowId: string): Promise<void> {
    await callIfRunning(() => client.workflow.getHandle(workflowId).cancel());
  }

  return {
    wakeIntegration: (integrationId) => wake('integration', integrationId),
    wakeFleet: (integrationId) => wake('fleet', integrationId),
    cancelScan: (repositoryId) => cancel(scanWorkflowId(repositoryId)),
    async cancelAll(integrationId) {
      await cancel(fleetWorkflowId(integrationId));
      await cancel(syncWorkflowId(integrationId));
    },
    async getWorkflowState(kind, id) {
      const described = await callIfRunning(() => client.workflow.getHandle(ID_OF[kind](id)).describe());
      return described === null ? 'closed' : stateOf(described, stuckAfterTries);
    },
    async terminate(kind, id) {
      await callIfRunning(() =>
        client.workflow.getHandle(ID_OF[kind](id)).terminate('its code kept failing'),
      );
    },
    async *openIds(kind) {
      const query = `WorkflowType = '${WORKFLOW_TYPES[kind]}' AND TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'`;
      const start = ID_OF[kind]('').length;
      const workflows = client.workflow.list({ query })[Symbol.asyncIterator]();
      const next = () => call(() => workflows.next());
      for (let item = await next(); item.done !== true; item = await next())
        yield item.value.workflowId.slice(start);
    },
  };
}

/** Calls with a deadline, which throw `temporal_unavailable` when the server does not answer. */
function createTemporalCalls(client: Client) {
  async function call<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await client.withDeadline(Date.now() + DEADLINE_MS, work);
    } catch (err) {
      throw isUnavailable(err) ? temporalUnavailable(err) : err;
    }
  }

  /** `null` when no such workflow runs. */
  async function callIfRunning<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await call(work);
    } catch (err) {
      if (err instanceof WorkflowNotFoundError) return null;
      throw err;
    }
  }

  return { call, callIfRunning };
}

function stateOf({ status, raw }: WorkflowExecutionDescription, stuckAfterTries: number): WorkflowState {
  if (status.name !== 'RUNNING') return 'closed';
  return (raw.pendingWorkflowTask?.attempt ?? 0) >= stuckAfterTries ? 'stuck' : 'open';
}

function temporalUnavailable(cause: unknown): SecuError {
  return new SecuError('temporal_unavailable', 'the Temporal server does not answer', { cause });
}

/** True for the gRPC codes unavailable, deadline exceeded, cancelled, and for a missing namespace. */
function isUnavailable(err: unknown): boolean {
  if (err instanceof ServiceError) return isUnavailable(err.cause);
  return (
    isGrpcServiceError(err) && [1, 4, 5, 8, 14].includes(err.code) && !(err instanceof WorkflowNotFoundError)
  );
}

const RECONCILE_EVERY = '10 minutes';

/** Creates the reconcile schedule (every ten minutes), and triggers one run now. */
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
        // a stuck run must not block the next one forever
        workflowRunTimeout: '1 hour',
      },
      state: { triggerImmediately: true },
    });
  } catch (err) {
    if (!(err instanceof ScheduleAlreadyRunning)) throw err;
    // buffered behind a running one, which may have read the rows before our start
    await client.schedule.getHandle(scheduleId).trigger(ScheduleOverlapPolicy.BUFFER_ONE);
  }
}
