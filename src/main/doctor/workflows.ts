import { ScheduleNotFoundError } from '@temporalio/client';
import type { TemporalAddress } from '../../temporal/connection.ts';
import { createTemporalClient } from '../../temporal/connection.ts';
import { reconcileWorkflowId } from '../../workflows/contract.ts';
import { queuesWithoutWorker } from '../worker-presence.ts';
import type { DoctorPart } from './part.ts';
import { part } from './part.ts';

const TIMEOUT_MS = 5_000;
/** Two runs were missed. */
const MAX_RECONCILE_AGE_MS = 30 * 60_000;

type Client = ReturnType<typeof createTemporalClient>;

/**
 * Checks that each queue has a worker and that reconcile runs. `temporal` is null for an embedded server that is not
 * running. `queuePrefix` is that of `src/workflows/contract.ts`.
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
      unknownIfUnavailable('workers', examineWorkers({ client, namespace: temporal.namespace, queuePrefix })),
      unknownIfUnavailable('reconcile', examineSchedule({ client, queuePrefix })),
    ]);
  } finally {
    await client.connection.close();
  }
}

async function unknownIfUnavailable(name: string, check: Promise<DoctorPart>): Promise<DoctorPart> {
  try {
    return await check;
  } catch {
    return part(name, {
      status: 'warning',
      detail: 'unknown: Temporal does not respond',
      advice: 'Fix "temporal server" first.',
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
  if (missing.length === 0) return part('workers', { detail: 'every queue has a worker' });
  return part('workers', {
    status: 'failed',
    detail: `no worker polls ${missing.join(', ')}: its tasks wait`,
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
        detail: 'the schedule is paused: drift is not repaired',
        advice: `Run "temporal schedule toggle --unpause --schedule-id ${handle.scheduleId}".`,
      });
    }
    const last = info.recentActions.at(-1)?.takenAt ?? info.createdAt;
    const detail = `last run ${last.toISOString()}`;
    if (Date.now() - last.getTime() <= MAX_RECONCILE_AGE_MS) return part('reconcile', { detail });
    return part('reconcile', {
      status: 'warning',
      detail: `${detail}: late`,
      advice:
        'Check in the Temporal UI whether its workflow hangs, and that an orchestration worker is running.',
    });
  } catch (err) {
    if (!(err instanceof ScheduleNotFoundError)) throw err;
    return part('reconcile', {
      status: 'failed',
      detail: 'there is no schedule',
      advice: 'Start "secu worker --queues orchestration": it creates the schedule.',
    });
  }
}
