import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { NO_REPAIRS } from '../../src/activities/reconcile.ts';
import { newId } from '../../src/db/new-id.ts';
import type { Starters } from '../../src/domain/ports.ts';
import { TEMPORAL_NAMESPACE } from '../../src/embedded/temporal-server.ts';
import { createTemporalClient, pingTemporal } from '../../src/temporal/connection.ts';
import { createStarters, ensureReconcileSchedule } from '../../src/temporal/starters.ts';
import {
  fleetWorkflowId,
  integrationWorkflowId,
  reconcileWorkflowId,
  scanWorkflowId,
} from '../../src/workflows/contract.ts';
import { activitiesWith } from './support/activities.ts';
import { runsOf } from './support/inspect.ts';
import type { Suite } from './support/suite.ts';
import { openSuite } from './support/suite.ts';

let suite: Suite;

beforeAll(async () => {
  suite = await openSuite();
});
afterAll(async () => {
  await suite.close();
});

test('a wake starts a workflow, or signals a running one', async () => {
  const queuePrefix = `${crypto.randomUUID()}-`;
  const starters = createStarters({ client: suite.client, queuePrefix });
  const integrationId = newId('integration');
  expect(await starters.getWorkflowState('integration', integrationId)).toBe('closed');
  for (let wakes = 0; wakes < 3; wakes += 1) await starters.wakeIntegration(integrationId);
  await starters.wakeFleet(integrationId);
  expect(await starters.getWorkflowState('integration', integrationId)).toBe('open');
  expect(await starters.getWorkflowState('fleet', integrationId)).toBe('open');
  expect(await runsOf(suite, integrationWorkflowId(integrationId))).toBe(1);
  for (const id of [integrationWorkflowId(integrationId), fleetWorkflowId(integrationId)])
    await suite.client.workflow.getHandle(id).terminate();
  expect(await starters.getWorkflowState('integration', integrationId)).toBe('closed');
});

test('a workflow whose code keeps failing is reported as stuck, can be terminated, and starts again', async () => {
  await suite.withWorkers(activitiesWith({}), async ({ taskQueue, queuePrefix }) => {
    const starters = createStarters({ client: suite.client, queuePrefix, stuckAfterTries: 2 });
    const integrationId = newId('integration');
    // no code matches the history, as after an incompatible change
    await suite.client.workflow.start('aWorkflowOfAnotherVersion', {
      workflowId: integrationWorkflowId(integrationId),
      taskQueue,
    });
    await awaitUntil(async () => (await starters.getWorkflowState('integration', integrationId)) === 'stuck');
    await starters.terminate('integration', integrationId);
    await starters.terminate('integration', integrationId);
    expect(await starters.getWorkflowState('integration', integrationId)).toBe('closed');

    await starters.wakeIntegration(integrationId);
    await awaitUntil(async () => (await idsOf(starters)).includes(integrationId));
    expect(await starters.getWorkflowState('integration', integrationId)).toBe('open');
    await starters.terminate('integration', integrationId);
    await awaitUntil(async () => (await idsOf(starters)).length === 0);
  });
});

async function idsOf(starters: Starters): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of starters.openIds('integration')) ids.push(id);
  return ids;
}

test('a cancel reaches a running workflow, and is not an error without one', async () => {
  const queuePrefix = `${crypto.randomUUID()}-`;
  const starters = createStarters({ client: suite.client, queuePrefix });
  const [integrationId, repositoryId] = [newId('integration'), newId('repository')];
  await starters.cancelScan(repositoryId);
  await starters.cancelAll(integrationId);

  const scan = await suite.client.workflow.start('repositoryScanWorkflow', {
    workflowId: scanWorkflowId(repositoryId),
    taskQueue: `${queuePrefix}orchestration`,
    args: [{ integrationId, repositoryId, scanId: newId('scan') }],
  });
  await starters.cancelScan(repositoryId);
  const { events } = await scan.fetchHistory();
  expect(events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes)).toBe(true);
  await scan.terminate();
});

test('every call reports an unavailable Temporal within seconds', async () => {
  const { client, connection } = createTemporalClient({
    address: '127.0.0.1:1',
    namespace: TEMPORAL_NAMESPACE,
    identity: 'test',
  });
  const starters = createStarters({ client });
  const id = newId('integration');
  const unavailable = { code: 'temporal_unavailable' };
  const ping = { connection, namespace: TEMPORAL_NAMESPACE, timeoutMs: 500 };
  // concurrently, so that their timeouts overlap
  await Promise.all([
    expect(starters.wakeIntegration(id)).rejects.toMatchObject(unavailable),
    expect(starters.cancelAll(id)).rejects.toMatchObject(unavailable),
    expect(starters.terminate('scan', id)).rejects.toMatchObject(unavailable),
    expect(starters.openIds('sync')[Symbol.asyncIterator]().next()).rejects.toMatchObject(unavailable),
    expect(starters.getWorkflowState('scan', id)).rejects.toMatchObject(unavailable),
    expect(pingTemporal(ping)).rejects.toMatchObject(unavailable),
  ]);
  await connection.close();
  await pingTemporal({ connection: suite.connection, namespace: suite.namespace, timeoutMs: 5_000 });
});

test('the sweep runs when a worker starts, and every ten minutes by one schedule', async () => {
  let sweeps = 0;
  const activities = activitiesWith({
    async reconcile() {
      sweeps += 1;
      return { ...NO_REPAIRS };
    },
  });
  await suite.withWorkers(activities, async ({ queuePrefix }) => {
    const schedule = suite.client.schedule.getHandle(reconcileWorkflowId(queuePrefix));
    await ensureReconcileSchedule({ client: suite.client, queuePrefix });
    await awaitUntil(() => sweeps === 1);
    const second = Math.floor(Date.now() / 1_000);
    await awaitUntil(async () => (await schedule.describe()).info.runningActions.length === 0);
    // Temporal names a run of a schedule by its second, so two runs in one second are one
    await awaitUntil(() => Math.floor(Date.now() / 1_000) > second);
    await ensureReconcileSchedule({ client: suite.client, queuePrefix });
    await awaitUntil(() => sweeps === 2);
    const { spec } = await schedule.describe();
    expect(spec.intervals).toEqual([expect.objectContaining({ every: 600_000 })]);
    await schedule.delete();
  });
});
