import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { newId } from '../../src/db/new-id.ts';
import type { SecuErrorCode } from '../../src/domain/errors.ts';
import { SecuError } from '../../src/domain/errors.ts';
import type { ScanResult, ScanTask } from '../../src/domain/scan.ts';
import { scanWorkflowId } from '../../src/workflows/contract.ts';
import type { AllActivities } from './support/activities.ts';
import { activitiesWith, untilCanceled } from './support/activities.ts';
import { eventNamesOf, foreignTextIn } from './support/histories.ts';
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

type Ending = Parameters<AllActivities['endScan']>[0];

async function scan(
  scanRepository: AllActivities['scanRepository'],
  work: (workflowId: string) => Promise<void> = async () => {},
): Promise<{ task: ScanTask; endings: Ending[]; result: () => Promise<ScanResult>; workflowId: string }> {
  const endings: Ending[] = [];
  const task = {
    integrationId: newId('integration'),
    repositoryId: newId('repository'),
    scanId: newId('scan'),
  };
  const workflowId = scanWorkflowId(task.repositoryId);
  const handle = suite.client.workflow.getHandle(workflowId);
  const activities = activitiesWith({
    scanRepository,
    async endScan(input) {
      endings.push(input);
    },
  });
  await suite.withWorkers(activities, async ({ taskQueue }) => {
    await suite.client.workflow.start('repositoryScanWorkflow', { workflowId, taskQueue, args: [task] });
    await work(workflowId);
    await awaitUntil(async () => (await handle.describe()).status.name !== 'RUNNING');
  });
  return { task, endings, workflowId, result: () => handle.result() as Promise<ScanResult> };
}

test('the workflow returns the result of the activity, in eleven events', async () => {
  const { task, endings, result, workflowId } = await scan(async ({ scanId }) => ({
    scanId,
    status: 'succeeded',
    outcome: 'findings',
    cause: null,
    findings: 3,
  }));
  expect(await result()).toEqual({
    scanId: task.scanId,
    status: 'succeeded',
    outcome: 'findings',
    cause: null,
    findings: 3,
  });
  expect(endings).toEqual([]);
  const history = await suite.client.workflow.getHandle(workflowId).fetchHistory();
  expect(eventNamesOf(history)).toEqual([
    'WORKFLOW_EXECUTION_STARTED',
    'WORKFLOW_TASK_SCHEDULED',
    'WORKFLOW_TASK_STARTED',
    'WORKFLOW_TASK_COMPLETED',
    'ACTIVITY_TASK_SCHEDULED',
    'ACTIVITY_TASK_STARTED',
    'ACTIVITY_TASK_COMPLETED',
    'WORKFLOW_TASK_SCHEDULED',
    'WORKFLOW_TASK_STARTED',
    'WORKFLOW_TASK_COMPLETED',
    'WORKFLOW_EXECUTION_COMPLETED',
  ]);
});

test.each<[SecuErrorCode, number]>([
  ['clone_failed', 5],
  ['repository_gone', 1],
])('%s on the last attempt ends the row as failed with that cause', async (code, tries) => {
  let tried = 0;
  const { task, endings, result } = await scan(
    async () => {
      tried += 1;
      throw new SecuError(code, 'it did not work');
    },
    async (workflowId) => {
      await awaitUntil(() => tried > 0);
      if (tries > 1) await forward(suite, { workflowId, ms: 600_000 });
    },
  );
  expect(tried).toBe(tries);
  expect(endings).toEqual([
    { scanId: task.scanId, status: 'failed', cause: code, nowMs: expect.any(Number) },
  ]);
  expect(await result()).toEqual({
    scanId: task.scanId,
    status: 'failed',
    outcome: null,
    cause: code,
    findings: 0,
  });
});

test('a canceled scan ends its row as canceled', async () => {
  let began = false;
  const { task, endings, result } = await scan(
    async () => {
      began = true;
      return untilCanceled();
    },
    async (workflowId) => {
      await awaitUntil(() => began);
      await suite.client.workflow.getHandle(workflowId).cancel();
    },
  );
  expect(endings).toEqual([
    { scanId: task.scanId, status: 'canceled', cause: 'canceled', nowMs: expect.any(Number) },
  ]);
  await expect(result()).rejects.toThrow('Workflow execution cancelled');
});

test('a scan that is canceled before its activity started also ends its row', async () => {
  const { task, endings, result } = await scan(untilCanceled, async (workflowId) => {
    await suite.client.workflow.getHandle(workflowId).cancel();
  });
  expect(endings.map(({ scanId, status }) => [scanId, status])).toEqual([[task.scanId, 'canceled']]);
  await expect(result()).rejects.toThrow('Workflow execution cancelled');
});

test('the history contains only the code of a failure', async () => {
  const { workflowId } = await scan(async () => {
    throw new SecuError('repository_gone', 'acme/secret-plans is gone', { cause: new Error('at /home') });
  });
  const history = await suite.client.workflow.getHandle(workflowId).fetchHistory();
  expect(foreignTextIn(history)).toEqual([]);
  expect(JSON.stringify(history)).not.toContain('secret-plans');
});
