import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { activityInfo } from '@temporalio/activity';
import { Worker } from '@temporalio/worker';
import { awaitUntil } from '../../harness/await-until.ts';
import { newId } from '../../src/db/new-id.ts';
import { BACKGROUND_PRIORITY } from '../../src/domain/scan.ts';
import { fleetWorkflowId, scanWorkflowId } from '../../src/workflows/contract.ts';
import { testServerAddress } from '../support/server-addresses.ts';
import type { AllActivities } from './support/activities.ts';
import { untilCanceled } from './support/activities.ts';
import type { FleetQueue, Scan } from './support/fleet-queue.ts';
import { activitiesOverQueue, addScan, fleetQueue } from './support/fleet-queue.ts';
import { eventNamesOf } from './support/histories.ts';
import { runsOf } from './support/inspect.ts';
import type { Suite } from './support/suite.ts';
import { openSuite } from './support/suite.ts';
import { forward } from './support/time.ts';

let suite: Suite;

beforeAll(async () => {
  suite = await openSuite();
});
afterAll(async () => {
  await suite.close();
});

interface Fleet {
  integrationId: string;
  workflowId: string;
  taskQueue: string;
  wake: () => Promise<void>;
  /** Waits for the end of the whole chain. */
  ended: () => Promise<void>;
}

async function fleetOf<T>(
  { queue, scan, own }: { queue: FleetQueue; scan?: Scan; own?: Partial<AllActivities> },
  work: (fleet: Fleet) => Promise<T>,
): Promise<T> {
  const integrationId = newId('integration');
  const workflowId = fleetWorkflowId(integrationId);
  return suite.withWorkers(activitiesOverQueue(queue, scan, own), async ({ starters, taskQueue }) =>
    work({
      integrationId,
      workflowId,
      taskQueue,
      wake: () => starters.wakeFleet(integrationId),
      ended: async () => void (await suite.client.workflow.getHandle(workflowId).result()),
    }),
  );
}

const statusesOf = (queue: FleetQueue) => [...new Set(queue.scans.map(({ status }) => status))];

test('urgent scans are taken first, the window is never exceeded, and the fleet ends when none waits', async () => {
  const queue = fleetQueue({ count: 30, window: 3 });
  const urgent = [addScan(queue, { priority: 1 }), addScan(queue, { priority: 1 })];
  const first = addScan(queue, { priority: 0 });
  // the first scans wait for each other, so that the window is full even on a slow machine
  const full = async () => void (await awaitUntil(() => queue.maxConcurrent >= 3));
  await fleetOf({ queue, scan: full }, async (fleet) => {
    await fleet.wake();
    await fleet.ended();
  });
  expect(queue.maxConcurrent).toBe(3);
  expect(statusesOf(queue)).toEqual(['ended']);
  expect(queue.begun).toHaveLength(33);
  expect(new Set(queue.begun.slice(0, 3))).toEqual(new Set([first, ...urgent].map(({ scanId }) => scanId)));
});

test('a scan that queues another one at its end is followed by it, although nobody wakes the fleet', async () => {
  const queue = fleetQueue({ count: 3 });
  const scan: Scan = async ({ repositoryId, priority }) => {
    if (priority >= BACKGROUND_PRIORITY) return undefined;
    addScan(queue, { repositoryId, priority: BACKGROUND_PRIORITY });
    return { queuedMore: true };
  };
  await fleetOf({ queue, scan }, async (fleet) => {
    await fleet.wake();
    await fleet.ended();
  });
  expect(queue.begun).toHaveLength(6);
  expect(statusesOf(queue)).toEqual(['ended']);
});

test('background scans use half of the window, and an urgent scan starts in addition', async () => {
  const queue = fleetQueue({ window: 4 });
  for (let index = 0; index < 10; index += 1) addScan(queue, { priority: BACKGROUND_PRIORITY });
  const release = Promise.withResolvers<undefined>();
  await fleetOf(
    { queue, scan: ({ priority }) => (priority === 1 ? Promise.resolve(undefined) : release.promise) },
    async (fleet) => {
      await fleet.wake();
      await awaitUntil(() => queue.atOnce === 2);
      const urgent = addScan(queue, { priority: 1 });
      await fleet.wake();
      await awaitUntil(() => urgent.status === 'ended');
      expect(queue.begun).toHaveLength(3);
      release.resolve(undefined);
      await fleet.ended();
    },
  );
  expect(queue.begun).toHaveLength(11);
  expect(queue.maxConcurrent).toBeLessThanOrEqual(3);
});

test('a token that was not verified recently is verified once before a page is taken', async () => {
  const queue = fleetQueue({ count: 5 });
  queue.stale = true;
  await fleetOf({ queue }, async (fleet) => {
    await fleet.wake();
    await fleet.ended();
  });
  expect(queue.verifications).toBe(1);
  expect(statusesOf(queue)).toEqual(['ended']);
});

test('at its limit of scans the fleet continues as a new run, and each scan runs once', async () => {
  const queue = fleetQueue({ count: 110, window: 20, perRun: 100 });
  const runs = await fleetOf({ queue }, async (fleet) => {
    await fleet.wake();
    await fleet.ended();
    return runsOf(suite, fleet.workflowId);
  });
  expect(queue.begun).toHaveLength(110);
  expect(new Set(queue.begun).size).toBe(110);
  expect(runs).toBe(2);
});

test('scans that end together cause one workflow task of the fleet, which can be replayed', async () => {
  const queue = fleetQueue({ count: 60, window: 20 });
  const linger = () => delay(300);
  const history = await fleetOf({ queue, own: { linger } }, async (fleet) => {
    await fleet.wake();
    await fleet.ended();
    return suite.client.workflow.getHandle(fleet.workflowId).fetchHistory();
  });
  expect(queue.begun).toHaveLength(60);
  const names = eventNamesOf(history);
  expect(names).toContain('MARKER_RECORDED');
  expect(names.filter((name) => name === 'WORKFLOW_TASK_COMPLETED').length).toBeLessThan(30);
  await Worker.runReplayHistory(
    { workflowBundle: { codePath: testServerAddress('workflowBundle') } },
    history,
  );
});

test('a scan that is queued while the fleet ends is not lost', async () => {
  const queue = fleetQueue();
  await fleetOf({ queue }, async (fleet) => {
    for (let round = 0; round < 12; round += 1) {
      addScan(queue);
      await fleet.wake();
      // the fleet decides to end between "has begun" and "has ended"
      await awaitUntil(() => queue.begun.length > round);
      await delay(round * 4);
    }
    await awaitUntil(() => queue.scans.every(({ status }) => status === 'ended'));
    await fleet.ended();
  });
  expect(queue.begun).toHaveLength(12);
});

test('a scan that a user cancels ends alone, and the fleet continues with the others', async () => {
  const queue = fleetQueue({ count: 2, window: 1 });
  const [canceled, other] = queue.scans.toSorted((a, b) => (a.scanId < b.scanId ? -1 : 1));
  await fleetOf(
    { queue, scan: (scan) => (scan === canceled ? untilCanceled() : Promise.resolve(undefined)) },
    async (fleet) => {
      await fleet.wake();
      await awaitUntil(() => queue.begun.length === 1);
      await suite.client.workflow.getHandle(scanWorkflowId(canceled?.repositoryId ?? '')).cancel();
      await fleet.ended();
    },
  );
  expect(canceled?.ending).toBe('canceled: canceled');
  expect(other?.ending).toBe('activity');
});

test('the fleet ends the row of a child that was terminated', async () => {
  const queue = fleetQueue({ count: 2, window: 2 });
  const [terminated, other] = queue.scans;
  await fleetOf(
    { queue, scan: (scan) => (scan === terminated ? untilCanceled() : Promise.resolve(undefined)) },
    async (fleet) => {
      await fleet.wake();
      await awaitUntil(() => queue.begun.length === 2);
      await suite.client.workflow.getHandle(scanWorkflowId(terminated?.repositoryId ?? '')).terminate('test');
      await fleet.ended();
    },
  );
  expect(terminated?.ending).toBe('failed: scanner_crashed');
  expect(other?.ending).toBe('activity');
});

test('a waiting scan is retried after half a minute, without a loop, and is not forgotten', async () => {
  const queue = fleetQueue({ count: 1 });
  let tries = 0;
  const scan: Scan = async () => {
    tries += 1;
    return tries < 3 ? { status: 'requeued', outcome: null, cause: 'disk_low' } : undefined;
  };
  await fleetOf({ queue, scan }, async (fleet) => {
    await fleet.wake();
    await awaitUntil(() => tries === 1);
    await delay(500);
    expect(tries).toBe(1);
    expect(queue.takes).toBeLessThanOrEqual(3);
    await forward(suite, { workflowId: fleet.workflowId, ms: 35_000 });
    await awaitUntil(() => tries === 2);
    await forward(suite, { workflowId: fleet.workflowId, ms: 20_000 });
    expect(tries).toBe(2);
    await forward(suite, { workflowId: fleet.workflowId, ms: 15_000 });
    await fleet.ended();
  });
  expect(tries).toBe(3);
  expect(queue.scans[0]?.ending).toBe('activity');
});

test('a repository that another workflow scans is left to it, without a loop', async () => {
  const queue = fleetQueue({ count: 2 });
  const [busy, other] = queue.scans;
  const task = {
    integrationId: newId('integration'),
    repositoryId: busy?.repositoryId ?? '',
    scanId: newId('scan'),
  };
  await fleetOf({ queue }, async (fleet) => {
    // on a queue without workers, so that it stays open
    const elsewhere = await suite.client.workflow.start('repositoryScanWorkflow', {
      workflowId: scanWorkflowId(task.repositoryId),
      taskQueue: `${fleet.taskQueue}-nobody`,
      args: [task],
    });
    await fleet.wake();
    await fleet.ended();
    expect(queue.takes).toBeLessThanOrEqual(4);
    expect(busy?.status).toBe('queued');
    expect(other?.status).toBe('ended');
    await elsewhere.terminate();
    await fleet.wake();
    await fleet.ended();
  });
  expect(busy?.ending).toBe('activity');
});

test('a scan that is queued while the previous workflow of its repository closes runs after it', async () => {
  const queue = fleetQueue({ count: 1, window: 4 });
  let wake = async () => {};
  const scan: Scan = async ({ repositoryId }) => {
    if (queue.scans.length < 4) {
      addScan(queue, { repositoryId });
      await wake();
      await delay(100);
    }
    return undefined;
  };
  await fleetOf({ queue, scan }, async (fleet) => {
    wake = fleet.wake;
    await fleet.wake();
    await fleet.ended();
  });
  expect(queue.scans.map(({ ending }) => ending)).toEqual(Array.from({ length: 4 }, () => 'activity'));
});

test('a cancel of the fleet cancels its children, and their rows end', async () => {
  const queue = fleetQueue({ count: 5, window: 2 });
  await fleetOf({ queue, scan: untilCanceled }, async (fleet) => {
    await fleet.wake();
    await awaitUntil(() => queue.begun.length === 2);
    await suite.client.workflow.getHandle(fleet.workflowId).cancel();
    await expect(fleet.ended()).rejects.toThrow('Workflow execution cancelled');
    await awaitUntil(() => queue.scans.filter(({ ending }) => ending === 'canceled: canceled').length === 2);
  });
  expect(queue.begun).toHaveLength(2);
  expect(queue.scans.filter(({ status }) => status === 'queued')).toHaveLength(3);
});

test('a terminated fleet leaves its scans running, and the next one takes the rest', async () => {
  const queue = fleetQueue({ count: 5, window: 2 });
  let mayEnd = false;
  const scan = async () => {
    await awaitUntil(() => mayEnd);
    return undefined;
  };
  await fleetOf({ queue, scan }, async (fleet) => {
    await fleet.wake();
    await awaitUntil(() => queue.begun.length === 2);
    await suite.client.workflow.getHandle(fleet.workflowId).terminate();
    await fleet.wake();
    await awaitUntil(() => queue.begun.length === 4);
    mayEnd = true;
    await fleet.ended();
  });
  expect(queue.begun).toHaveLength(5);
  await awaitUntil(() => queue.scans.every(({ ending }) => ending === 'activity'));
});

test('an activity that fails for a while does not end the workflow', async () => {
  const queue = fleetQueue({ count: 1 });
  const integrationId = newId('integration');
  const base = activitiesOverQueue(queue);
  await suite.withWorkers(
    {
      ...base,
      async takeQueuedScans(input) {
        if (activityInfo().attempt < 3) throw new Error('something unforeseen');
        return base.takeQueuedScans(input);
      },
    },
    async ({ starters }) => {
      await starters.wakeFleet(integrationId);
      await suite.client.workflow.getHandle(fleetWorkflowId(integrationId)).result();
    },
  );
  expect(queue.begun).toHaveLength(1);
});
