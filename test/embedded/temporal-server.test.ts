import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { toolPath } from '../../harness/tools.ts';
import { acquireHome } from '../../src/embedded/home.ts';
import { createSupervisor } from '../../src/embedded/supervisor.ts';
import { isUsable, startTemporalServer, startThrowawayTemporal } from '../../src/embedded/temporal-server.ts';
import { isAlive, until } from './support.ts';

let folder: string;
let home: string;
const running: (() => Promise<void>)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secu-temporal-'));
  home = join(folder, 'home');
});

afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
  rmSync(folder, { recursive: true, force: true });
});

async function startIn(home: string, version = '1.8.2 (Server 1.32.1)') {
  const layout = acquireHome(home);
  const printed: string[] = [];
  const printLine = (line: string) => void printed.push(line);
  const supervisor = createSupervisor({ layout, printLine });
  const stop = async () => {
    await supervisor.stop();
    layout.release();
  };
  running.push(stop);
  const tool = { path: await toolPath('temporal'), version };
  return {
    ...(await startTemporalServer({ layout, supervisor, printLine, tool })),
    layout,
    supervisor,
    printed,
  };
}

async function withClient<T>(address: string, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await work(new Client({ connection, namespace: 'secu' }));
  } finally {
    await connection.close();
  }
}

const startUnpolledWorkflow = (address: string, workflowId: string) =>
  withClient(address, (client) => client.workflow.start('none', { workflowId, taskQueue: 'unpolled' }));

const exists = (address: string, workflowId: string) =>
  withClient(address, (client) =>
    client.workflow
      .getHandle(workflowId)
      .describe()
      .then(
        () => true,
        () => false,
      ),
  );

test('keeps address, web UI and workflows after kill -9', async () => {
  const { address, uiUrl, supervisor } = await startIn(home);
  await startUnpolledWorkflow(address, 'survivor');
  const pid = supervisor.status()[0]?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  await until('the server ends', () => !isAlive(pid));
  await until('the server is usable again', () => isUsable(address));
  expect(await exists(address, 'survivor')).toBe(true);
  const page = await fetch(uiUrl ?? '');
  expect(page.status).toBe(200);
  await page.body?.cancel();
});

test('recreates its store for another minor version, and reports it', async () => {
  const first = await startIn(home);
  await startUnpolledWorkflow(first.address, 'gone');
  await running.pop()?.();
  const second = await startIn(home, '1.10.0 (Server 1.33.0)');
  expect(second.printed).toContainEqual(expect.stringContaining('1.32 became 1.33'));
  expect(await exists(second.address, 'gone')).toBe(false);
});

test('recreates a store whose queues had more partitions, because tasks in them would never be polled', async () => {
  const first = await startIn(home);
  await startUnpolledWorkflow(first.address, 'gone');
  await running.pop()?.();
  writeFileSync(join(first.layout.temporal, 'server-minor'), '1.32\n');
  const second = await startIn(home);
  expect(second.printed).toContainEqual(expect.stringContaining('other queues'));
  expect(await exists(second.address, 'gone')).toBe(false);
});

test('reports why a program is not a Temporal server', async () => {
  const layout = acquireHome(home);
  const supervisor = createSupervisor({ layout, printLine: () => {} });
  running.push(async () => {
    await supervisor.stop();
    layout.release();
  });
  const tool = { path: '/bin/false', version: 'none' };
  const started = startTemporalServer({ layout, supervisor, printLine: () => {}, tool });
  await expect(started).rejects.toMatchObject({ code: 'embedded_failed' });
});

test('the test server can skip time and leaves no files', async () => {
  const { address, stop } = await startThrowawayTemporal({ folder: home, path: await toolPath('temporal') });
  await withClient(address, async (client) => {
    await client.workflow.start('none', { workflowId: 'skipper', taskQueue: 'unpolled' });
    await client.workflowService.updateWorkflowExecutionOptions({
      namespace: 'secu',
      workflowExecution: { workflowId: 'skipper' },
      updateMask: { paths: ['time_skipping_config'] },
      workflowExecutionOptions: { timeSkippingConfig: { enabled: true } },
    });
  });
  await stop();
  expect(await isUsable(address)).toBe(false);
  expect(existsSync(home)).toBe(false);
});
