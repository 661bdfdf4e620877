import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import type { RotationStep } from '../../src/activities/deps.ts';
import { integrationWorkflowId } from '../../src/workflows/contract.ts';
import { foreignTextIn } from '../workflows/support/histories.ts';
import type { RotationWorld } from './support/rotation.ts';
import { createEndTable, createRotationWorld, SELF_ROTATE } from './support/rotation.ts';
import { filesHolding, formsOf, hitsIn } from './support/search.ts';

/** Kills per step; SECU_ROTATION_RUNS=20 creates the table of the docs. */
const RUNS = Number(process.env['SECU_ROTATION_RUNS'] ?? '1');

let rotation: RotationWorld;
const table = createEndTable('SIGKILL after');

beforeAll(async () => {
  rotation = await createRotationWorld();
});
afterAll(async () => {
  await rotation?.close();
  table.print();
});
beforeEach(() => {
  rmSync(rotation.killAtFile, { force: true });
  rotation.world.simulator.control.faults.clear();
  rotation.world.simulator.control.requests.reset();
});

const anyWorker = async () => [...rotation.runningWorkers][0] ?? (await rotation.startWorker());
const currentOf = (integrationId: string) =>
  rotation.world.database.stores.credentials.current(integrationId);

type Fault = RotationStep | 'sent';

/** Waits until the worker has killed itself or, for the step at GitLab, until the test kills it. */
async function rotateAndKill(
  fault: Fault,
  { worker, integrationId }: { worker: ChildProcess; integrationId: string },
): Promise<string> {
  const { faults } = rotation.world.simulator.control;
  const exited = once(worker, 'exit');
  // GitLab has rotated, but its response is delayed
  if (fault === 'sent')
    faults.add({ match: { path: SELF_ROTATE }, answer: { kind: 'slow', delayMs: 5_000 } });
  else writeFileSync(rotation.killAtFile, fault);
  const commandId = await rotation.requestRotation(integrationId);
  if (fault === 'sent') {
    await awaitUntil(() => rotation.countRotateRequests() > 0, { timeoutMs: 30_000 });
    worker.kill('SIGKILL');
  }
  await exited;
  rmSync(rotation.killAtFile, { force: true });
  faults.clear();
  return commandId;
}

const EXPECTED: readonly (readonly [Fault, { end: string; posts: number; code: string }])[] = [
  // the command is still open and no request was sent, so the next worker rotates
  ['prepared', { end: 'done', posts: 1, code: 'ok' }],
  ['intent', { end: 'not_rotated', posts: 0, code: 'in_doubt' }],
  ['sent', { end: 'lost', posts: 1, code: 'rotation_lost' }],
  ['answered', { end: 'lost', posts: 1, code: 'rotation_lost' }],
  ['journalled', { end: 'done', posts: 1, code: 'ok' }],
  ['committed', { end: 'done', posts: 1, code: 'ok' }],
  ['verified', { end: 'done', posts: 1, code: 'ok' }],
];

test.each(Array.from({ length: RUNS }, () => EXPECTED).flat())(
  'SIGKILL after %s: the documented result, no second POST, no revoked token family',
  async (fault, expected) => {
    const worker = await anyWorker();
    const { integrationId, tokenId } = await rotation.connect();
    const commandId = await rotateAndKill(fault, { worker, integrationId });
    await rotation.startWorker();
    const end = await rotation.endOf(integrationId);
    table.add(fault, end);
    expect(end).toBe(expected.end);
    expect(rotation.countRotateRequests()).toBe(expected.posts);
    const activeTokens = rotation.activeTokensOf(tokenId);
    expect(activeTokens).toHaveLength(1);
    expect(await rotation.resultOf(commandId)).toEqual({ code: expected.code });
    const row = await rotation.rowOf(integrationId);
    const current = await currentOf(integrationId);
    if (expected.end === 'lost') {
      expect(row).toMatchObject({ verdict: 'invalid', cause: 'rotation_lost' });
      expect(current?.gitlabTokenId).toBe(tokenId);
      return;
    }
    expect(row).toMatchObject({ verdict: 'active', cause: null, suspected_at: null });
    expect(current?.gitlabTokenId).toBe(activeTokens[0]);
    await rotation.recordCurrentToken(integrationId);
    // a token that was not rotated can still be rotated
    expect(await rotation.resultOf(await rotation.requestRotation(integrationId))).toEqual({ code: 'ok' });
    expect(rotation.activeTokensOf(tokenId)).toHaveLength(1);
    await rotation.recordCurrentToken(integrationId);
  },
);

test('after a stop signal, a worker finishes its rotation and starts no other', async () => {
  const worker = await anyWorker();
  const [one, two] = [await rotation.connect(), await rotation.connect()];
  rotation.world.simulator.control.faults.add({
    match: { path: SELF_ROTATE },
    answer: { kind: 'slow', delayMs: 4_000 },
  });
  const commandId = await rotation.requestRotation(one.integrationId);
  await awaitUntil(() => rotation.countRotateRequests() > 0, { timeoutMs: 30_000 });
  const exited = once(worker, 'exit');
  worker.kill('SIGTERM');
  await rotation.requestRotation(two.integrationId);
  const [code] = await exited;
  expect(code).toBe(0);
  expect(rotation.countRotateRequests()).toBe(1);
  expect(rotation.activeTokensOf(one.tokenId)).toEqual([(await currentOf(one.integrationId))?.gitlabTokenId]);
  expect(await rotation.resultOf(commandId)).toEqual({ code: 'ok' });
  expect(rotation.activeTokensOf(two.tokenId)).toEqual([two.tokenId]);
  await rotation.recordCurrentToken(one.integrationId);
});

test('no token, old or new, is in a journal, a log, an event or a workflow history', async () => {
  await rotation.startWorker();
  const { integrationId } = await rotation.connect();
  await rotation.requestRotation(integrationId);
  expect(await rotation.endOf(integrationId)).toBe('done');
  await rotation.recordCurrentToken(integrationId);
  const needles = [...new Set(rotation.tokens)].flatMap(formsOf);
  expect(needles.length).toBeGreaterThan(10);
  expect(filesHolding(rotation.home, needles)).toEqual([]);
  expect(hitsIn(rotation.output(), needles)).toBe(0);
  const { db } = rotation.world;
  const events = await db.query('select text, data from event');
  expect(hitsIn(JSON.stringify(events), needles)).toBe(0);
  const rows = await db.query('select * from rotation');
  expect(hitsIn(JSON.stringify(rows), needles)).toBe(0);
  const ids = await db.query<{ id: string }>('select id from integration');
  for (const { id } of ids) {
    const history = await rotation.temporal.client.workflow
      .getHandle(integrationWorkflowId(id))
      .fetchHistory();
    expect(hitsIn(JSON.stringify(history), needles)).toBe(0);
    expect(foreignTextIn(history)).toEqual([]);
  }
});
