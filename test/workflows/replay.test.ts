import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { testServerAddress } from '../support/server-addresses.ts';
import '../support/workers.ts'; // captures the logger of Temporal's native core
import type { History } from './support/histories.ts';
import { foreignTextIn, HISTORIES, historyNames } from './support/histories.ts';

const read = (name: string): History =>
  historyFromJSON(JSON.parse(readFileSync(join(HISTORIES, name), 'utf8')));

const workflowIdOf = (history: History) =>
  history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? '';

function replay(name: string, workflowBundle: WorkflowBundleOption): Promise<void> {
  const history = read(name);
  return Worker.runReplayHistory({ workflowBundle }, history, workflowIdOf(history));
}

test('each of the five workflows has a recorded history', () => {
  const types = historyNames().map((name) =>
    String(read(name).events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name),
  );
  expect([...new Set(types)].toSorted()).toEqual([
    'integrationWorkflow',
    'reconcileWorkflow',
    'repositoryScanWorkflow',
    'scanFleetWorkflow',
    'syncWorkflow',
  ]);
});

test.each(historyNames())('the current code replays %s', async (name) => {
  await replay(name, { codePath: testServerAddress('workflowBundle') });
});

test.each(historyNames())('%s contains only IDs, dates, counts and codes', (name) => {
  expect(foreignTextIn(read(name))).toEqual([]);
});

test('a changed workflow is refused, and an unchanged one in the same bundle is not', async () => {
  const changed = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('support/changed-workflows.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  await expect(replay('repository-scan-workflow-1.json', changed)).rejects.toThrow(DeterminismViolationError);
  await replay('scan-fleet-workflow-1.json', changed);
});
