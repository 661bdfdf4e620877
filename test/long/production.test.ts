import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { awaitUntil } from '../../harness/await-until.ts';
import { processesOf } from '../../harness/secu.ts';
import { toolPath } from '../../harness/tools.ts';
import type { Simulator } from '../../simulator/index.ts';
import { createSimulator, defaultRecipes, fleetRecipes } from '../../simulator/index.ts';
import { startThrowawayTemporal } from '../../src/embedded/temporal-server.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';
import type { Production, Running } from './support/production.ts';
import { pidsWithWorkspace, prepareProduction } from './support/production.ts';
import { awaitSettled, wantedAndFound, workspacesOf } from './support/story.ts';

let folder: string;
let db: TestDatabase;
let temporal: Awaited<ReturnType<typeof startThrowawayTemporal>>;
let simulator: Simulator;
let secu: Production;
let api: Running;
let orchestration: Running[];
let scans: Running[];
let integrationId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secu-production-'));
  db = await createTestDatabase({ empty: true });
  temporal = await startThrowawayTemporal({
    folder: join(folder, 'temporal'),
    path: await toolPath('temporal'),
  });
  simulator = await createSimulator({
    folder: join(folder, 'gitlab'),
    recipes: [...defaultRecipes(), ...fleetRecipes(15)],
  });
  secu = await prepareProduction({
    folder,
    databaseUrl: db.url,
    temporalAddress: temporal.address,
    settings: {
      SECU_GITLAB_ORIGINS: simulator.url,
      SECU_ALLOWED_NETWORKS: '127.0.0.0/8',
      SECU_GITLAB_RATE: '100/s',
      SECU_DISK_RESERVE: '1MiB',
    },
  });
});

afterAll(async () => {
  await secu?.close();
  await simulator?.close();
  await temporal?.stop();
  await db?.drop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

async function untilHealthy(...processes: Running[]): Promise<void> {
  for (const each of processes)
    await awaitUntil(async () => (await each.health()) === 0, { timeoutMs: 60_000, what: 'healthy' });
}

test('migrate exits, also if there is nothing to do', async () => {
  expect(await secu.runOnce('migrate')).toBe(0);
  expect(await secu.runOnce('migrate')).toBe(0);
});

test('the API and two workers of each kind start together and become healthy', async () => {
  const startTwo = (name: string) => Promise.all([secu.start(name), secu.start(name)]);
  api = await secu.start('api');
  orchestration = await startTwo('orchestration-worker');
  scans = await startTwo('scan-worker');
  await untilHealthy(api, ...orchestration, ...scans);
});

test('after one worker of each kind is killed, the others finish everything exactly once', async () => {
  const { id: userId } = simulator.control.createUser({ name: 'Secu scanner' });
  const { token } = simulator.control.createToken({ userId, scopes: ['read_api', 'read_repository'] });
  simulator.control.faults.add({
    match: { path: /git-upload-pack$/, fetchOnly: true },
    answer: { kind: 'slow', delayMs: 700 },
  });
  const created = await secu.call('POST', '/integrations', {
    provider: 'gitlab',
    type: 'git',
    baseUrl: simulator.url,
    token,
  });
  expect(created.status).toBe(201);
  integrationId = created.body.id;

  // both scan at the same time, and each has some scans done
  await awaitUntil(
    async () => {
      const busy = new Set(pidsWithWorkspace(secu));
      const names = [...(await identitiesInHistories()).keys()];
      return scans.every(({ pid }) => busy.has(pid) && names.some((name) => name.includes(`:${pid}:`)));
    },
    { timeoutMs: 60_000, what: 'both scan workers at work' },
  );
  const { counts } = (await secu.call('GET', `/integrations/${integrationId}`)).body;
  expect(counts.scanned).toBeLessThan(counts.repositories);
  await scans[0]?.end('SIGKILL');
  await orchestration[0]?.end('SIGKILL');
  simulator.control.faults.clear();

  await awaitSettled(secu, integrationId);
  await expectEverythingOnce();
});

test('both workers of each kind did some of the work', async () => {
  const identities = await identitiesInHistories();
  for (const [role, processes] of [
    ['worker:orchestration+gitlab', orchestration],
    ['worker:scan', scans],
  ] as const) {
    for (const { pid } of processes) {
      const done = [...identities].filter(([who]) => who.startsWith(`${role}@`) && who.includes(`:${pid}:`));
      expect({ role, pid, tasks: done.map(([, tasks]) => tasks) }).toEqual({
        role,
        pid,
        tasks: [expect.any(Number)],
      });
    }
  }
});

test('the replacement of a killed worker removes its workspace, and no workspace of a running worker', async () => {
  const before = await readdir(join(secu.home, 'work', 'scans'));
  expect(before.length).toBe(2);
  const inItsPlace = await secu.start('scan-worker');
  await untilHealthy(inItsPlace);
  scans[0] = inItsPlace;
  await awaitUntil(() => workspacesOf(secu).length === 0, { what: 'no workspace left' });
  const now = await readdir(join(secu.home, 'work', 'scans'));
  expect(now.length).toBe(2);
  expect(before.filter((name) => now.includes(name)).length).toBe(1);
  expect(await scans[1]?.health()).toBe(0);
});

test('after the stop signal of a container engine, each process exits with 0 and nothing is left', async () => {
  orchestration.shift();
  const codes = await Promise.all([api, ...orchestration, ...scans].map((each) => each.end('SIGTERM')));
  expect(codes).toEqual(codes.map(() => 0));
  expect(await readdir(join(secu.home, 'work', 'scans'))).toEqual([]);
  const remaining = processesOf(secu.home).map(({ commandLine }) => commandLine.replaceAll('\0', ' '));
  expect(remaining).toEqual([]);
});

async function expectEverythingOnce(): Promise<void> {
  const { wanted, found } = await wantedAndFound(secu, simulator, integrationId);
  expect(found).toEqual(wanted);
  expect(Object.keys(wanted).length).toBeGreaterThanOrEqual(30);
  const repositories = await secu.list(`/repositories?integrationId=${integrationId}&state=active`);
  for (const repository of repositories) {
    const ran = await secu.list(`/repositories/${repository.id}/scans`);
    // the head, and then the history if there is more than one commit
    expect(['created', 'history,created']).toContain(ran.map(({ trigger }) => trigger).join());
    expect(ran.every(({ status }) => status === 'succeeded' || status === 'failed')).toBe(true);
    const findings = await secu.list(`/findings?repositoryId=${repository.id}`);
    expect(new Set(findings.map(({ fingerprint }) => fingerprint)).size).toBe(findings.length);
  }
}

/** The number of tasks per worker, by the worker's identity. */
async function identitiesInHistories(): Promise<Map<string, number>> {
  const connection = await Connection.connect({ address: temporal.address });
  try {
    const client = new Client({ connection, namespace: temporal.namespace });
    const tasks = new Map<string, number>();
    for await (const { workflowId, runId } of client.workflow.list()) {
      const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      for (const event of events ?? []) {
        const identity =
          event.activityTaskStartedEventAttributes?.identity ??
          event.workflowTaskStartedEventAttributes?.identity;
        if (identity) tasks.set(identity, (tasks.get(identity) ?? 0) + 1);
      }
    }
    return tasks;
  } finally {
    await connection.close();
  }
}
