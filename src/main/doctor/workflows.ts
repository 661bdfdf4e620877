import { ScheduleNotFoundError } from '@temporalio/client';
import type { TemporalAddress } from '../../temporal/connection.ts';
import { createTemporalClient } from '../../temporal/connection.ts';
import { reconcileWorkflowId } from '../../workflows/contract.ts';
import { queuesWithoutWorker } from '../worker-presence.ts';
import type { DoctorPart } from './part.ts';
import { part } from './part.ts';

const TIMEOUT_MS = 5_000;
/** Two sweeps were missed. */
const SWEEP_LATE_MS = 30 * 60_000;

type Client = ReturnType<typeof createTemporalClient>;

/**
 * Whether somebody polls each queue, and whether the sweep runs. `temporal` null: an embedded server that does not run.
 * `queuePrefix` as in the contract of the workflows.
 */
export async function examineWorkflows(
  temporal: TemporalAddress | null,
  { queuePrefix = '' }: { queuePrefix?: string } = {},
): Promise<DoctorPart[]> {
  if (temporal === null) {
    const detail = 'started by "secu up"';
    return [part('workers', { detail }), part('reconcile', { detail })];
  }
  const client = createTemporalClient({ ...temporal, identity: 'doctor' });
  try {
    return await Promise.all([
      orAway('workers', examineWorkers({ client, namespace: temporal.namespace, queuePrefix })),
      orAway('reconcile', examineSchedule({ client, queuePrefix })),
    ]);
  } finally {
    await client.connection.close();
  }
}

async function orAway(name: string, looking: Promise<DoctorPart>): Promise<DoctorPart> {
  try {
    return await looking;
  } catch {
    return part(name, {
      status: 'warning',
      detail: 'not known: Temporal does not answer',
      advice: 'Mend "temporal server" first.',
    });
  }
}

async function examineWorkers(input: {
  client: Client;
  namespace: string;
  queuePrefix: string;
}): Promise<DoctorPart> {
  const { client, namespace, queuePrefix } = input;
  const missing = await queuesWithoutWorker({
    connection: client.connection,
    namespace,
    queuePrefix,
    timeoutMs: TIMEOUT_MS,
  });
  if (missing.length === 0) return part('workers', { detail: 'every queue is polled' });
  return part('workers', {
    status: 'failed',
    detail: `nobody polls ${missing.join(', ')}: that work waits`,
    advice: `Start "secu worker --queues ${missing.join(',')}".`,
  });
}

async function examineSchedule(input: { client: Client; queuePrefix: string }): Promise<DoctorPart> {
  const { connection, client } = input.client;
  const handle = client.schedule.getHandle(reconcileWorkflowId(input.queuePrefix));
  try {
    const { state, info } = await connection.withDeadline(Date.now() + TIMEOUT_MS, () => handle.describe());
    if (state.paused) {
      return part('reconcile', {
        status: 'warning',
        detail: 'the schedule is paused: what goes astray stays so',
        advice: `Run "temporal schedule toggle --unpause --schedule-id ${handle.scheduleId}".`,
      });
    }
    const last = info.recentActions.at(-1)?.takenAt ?? info.createdAt;
    const detail = `last sweep ${last.toISOString()}`;
    if (Date.now() - last.getTime() <= SWEEP_LATE_MS) return part('reconcile', { detail });
    return part('reconcile', {
      status: 'warning',
      detail: `${detail}: late`,
      advice: 'See in the Temporal UI whether its workflow hangs; an orchestration worker must run.',
    });
  } catch (err) {
    if (!(err instanceof ScheduleNotFoundError)) throw err;
    return part('reconcile', {
      status: 'failed',
      detail: 'there is no schedule',
      advice: 'Start "secu worker --queues orchestration": it makes the schedule.',
    });
  }
}
