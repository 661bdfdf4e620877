import { rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import type { Secu } from '../../harness/secu.ts';
import { processesOf } from '../../harness/secu.ts';
import type { Simulator } from '../../simulator/index.ts';
import type { ConnectedSecu } from './support/connected.ts';
import { startConnectedSecu } from './support/connected.ts';
import { awaitSettled, look, wantedAndFound, workspacesOf } from './support/story.ts';

let connected: ConnectedSecu | undefined;
let simulator: Simulator;
let secu: Secu;
let integrationId: string;

beforeAll(async () => {
  connected = await startConnectedSecu();
  ({ secu, simulator, integrationId } = connected);
});

afterAll(async () => {
  await connected?.close();
});

/** Scans everything again, and kills a process while clones are running. */
async function scanAllAnd(kill: () => Promise<unknown>): Promise<void> {
  simulator.control.faults.add({
    match: { path: /git-upload-pack$/, fetchOnly: true, nth: 3, times: 2 },
    answer: { kind: 'slow', delayMs: 3_000 },
  });
  const requested = await secu.call('POST', `/integrations/${integrationId}/scan`, {});
  expect(requested.status).toBe(202);
  await awaitUntil(async () => simulator.control.requests.clones().inFlight > 0, { timeoutMs: 30_000 });
  await kill();
  simulator.control.faults.clear();
}

const toolProcessesOf = (of: Secu) =>
  processesOf(of.home).filter(({ commandLine }) => /(^|\/)(git|gitleaks)\0/.test(commandLine));

/** The conditions after every kill. */
async function expectConsistentState(): Promise<void> {
  await secu.ready();
  await awaitSettled(secu, integrationId);
  const { wanted, found } = await wantedAndFound(secu, simulator, integrationId);
  expect(found).toEqual(wanted);
  const repositories = await secu.list(`/repositories?integrationId=${integrationId}&state=active`);
  for (const repository of repositories) {
    const scans = await secu.list(`/repositories/${repository.id}/scans`);
    expect(scans.every((scan) => ['succeeded', 'failed', 'canceled'].includes(scan.status))).toBe(true);
    const findings = await secu.list(`/findings?repositoryId=${repository.id}`);
    expect(new Set(findings.map((finding) => finding.fingerprint)).size).toBe(findings.length);
  }
  // A scan's row is final shortly before its worker has removed the workspace: at most 26 ms in ten kills of PostgreSQL,
  // four of them with both cores busy. A longer time means that an outdated attempt still runs.
  await awaitUntil(() => workspacesOf(secu).length === 0).catch(async (err: unknown) => {
    const remaining = workspacesOf(secu);
    const ids = remaining.map((path) => path.replace(/^.*\/(scn_[^-]+)-.*$/, '$1'));
    const scans = await Promise.all(ids.map(async (id) => (await secu.call('GET', `/scans/${id}`)).body));
    throw new Error(
      `workspaces are left: ${JSON.stringify({ left: remaining, scans, gits: toolProcessesOf(secu) })}`,
      {
        cause: err,
      },
    );
  });
  await awaitUntil(() => toolProcessesOf(secu).length === 0, { what: 'no git or scanner left' });
}

describe('after SIGKILL in the middle of its work, everything continues', () => {
  test('before any kill, every expectation is met', expectConsistentState);

  test('the scan worker, during a clone', async () => {
    await scanAllAnd(() => secu.kill('scan-worker'));
    await expectConsistentState();
  });

  test('the orchestration worker, during a sync', async () => {
    const fault = simulator.control.faults.add({
      match: { path: /\/api\/v4\/projects\?/, times: 1 },
      answer: { kind: 'slow', delayMs: 3_000 },
    });
    await secu.call('POST', `/integrations/${integrationId}/sync`, {});
    await awaitUntil(async () => fault.hits() > 0, { timeoutMs: 30_000 });
    await secu.kill('orchestration-worker');
    simulator.control.faults.clear();
    await expectConsistentState();
  });

  test('PostgreSQL', async () => {
    await scanAllAnd(() => secu.kill('postgres'));
    await expectConsistentState();
  });

  test('the Temporal server', async () => {
    await scanAllAnd(() => secu.kill('temporal'));
    await expectConsistentState();
  });

  test('the supervisor: the next start ends leftover processes and continues', async () => {
    await scanAllAnd(() => secu.kill('supervisor'));
    const remaining = processesOf(secu.home).map(({ pid }) => pid);
    await secu.start();
    await expectConsistentState();
    const now = new Set(processesOf(secu.home).map(({ pid }) => pid));
    expect(remaining.filter((pid) => now.has(pid))).toEqual([]);
  });

  test('everything at once, with the Temporal store deleted: the next start recreates every workflow', async () => {
    const flagsBefore = (
      await secu.list(`/integrations/${integrationId}/events?kind=integration.expiry_flagged`)
    ).length;
    await scanAllAnd(() => secu.kill('supervisor'));
    await awaitUntil(
      async () => processesOf(secu.home).every(({ commandLine }) => !commandLine.includes('start-dev')),
      { timeoutMs: 30_000 },
    );
    for (const name of await readdir(join(secu.home, 'temporal')))
      rmSync(join(secu.home, 'temporal', name), { force: true });
    await secu.start();
    await expectConsistentState();
    const observed = await look(secu, integrationId);
    expect(observed.status).toBe('active');
    expect(
      (await secu.list(`/integrations/${integrationId}/events?kind=integration.expiry_flagged`)).length,
    ).toBe(flagsBefore);
    const verified = await secu.call('POST', `/integrations/${integrationId}/verify`);
    expect(verified.status).toBe(200);
  });

  test('after the final stop, no process is left', async () => {
    await secu.stop();
    expect(processesOf(secu.home)).toEqual([]);
  });
});
