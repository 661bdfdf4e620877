import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { newId } from '../../src/db/new-id.ts';
import { SecuError } from '../../src/domain/errors.ts';
import { expiryFrom } from '../../src/domain/token-expiry.ts';
import {
  INTEGRATION_ID_ATTRIBUTE,
  integrationWorkflowId,
  NEXT_WAKE_ATTRIBUTE,
  STATUS_ATTRIBUTE,
  syncWorkflowId,
} from '../../src/workflows/contract.ts';
import type { AllActivities } from './support/activities.ts';
import { runsOf, stateOf } from './support/inspect.ts';
import type { IntegrationRow } from './support/integration-row.ts';
import { activitiesOver, integrationRow } from './support/integration-row.ts';
import type { Suite } from './support/suite.ts';
import { openSuite } from './support/suite.ts';

const HOUR_MS = 3_600_000;
let suite: Suite;

beforeAll(async () => {
  suite = await openSuite();
});
afterAll(async () => {
  await suite.close();
});

interface RunningWorkflow {
  integrationId: string;
  workflowId: string;
  wake: () => Promise<void>;
}

/** The workflow of an integration over this row. It is removed and awaited at the end. */
async function withWorkflow(
  row: IntegrationRow,
  work: (on: RunningWorkflow) => Promise<void>,
  own: Partial<AllActivities> = {},
): Promise<void> {
  const integrationId = newId('integration');
  const workflowId = integrationWorkflowId(integrationId);
  await suite.withWorkers(activitiesOver(row, own), async ({ starters }) => {
    const wake = () => starters.wakeIntegration(integrationId);
    await wake();
    await work({ integrationId, workflowId, wake });
    row.snapshot.removed = true;
    await wake();
    await suite.client.workflow.getHandle(workflowId).result();
  });
}

test('performs what is due in order, commands of users first, and then waits', async () => {
  const row = integrationRow({ expiry: expiryFrom('2020-01-01'), nextVerifyMs: 1, verdict: 'active' });
  row.commands.push(
    { id: newId('command'), kind: 'verify' },
    { id: newId('command'), kind: 'replace_token' },
  );
  const [first, second] = row.commands.map(({ id }) => id);
  const done: string[] = [];
  const base = activitiesOver(row);
  await withWorkflow(row, async () => void (await awaitUntil(() => row.plans === 5)), {
    verifyToken: (input) => {
      done.push('verify');
      return base.verifyToken(input);
    },
    replaceToken: (input) => {
      done.push('replace_token');
      return base.replaceToken(input);
    },
    flagExpiry: (input) => {
      done.push(`flag ${input.thresholdDays}`);
      return base.flagExpiry(input);
    },
  });
  expect(done).toEqual(['verify', 'replace_token', 'flag 0', 'verify']);
  expect(row.finished).toEqual([first, second]);
});

test('a signal causes a new plan in a new run; a signal before the plan causes no extra one', async () => {
  const row = integrationRow();
  await withWorkflow(row, async ({ workflowId, wake }) => {
    await awaitUntil(async () => (await stateOf(suite, workflowId)).details.includes('Next wake'));
    expect(row.plans).toBe(1);
    row.commands.push({ id: newId('command'), kind: 'verify' });
    await wake();
    await awaitUntil(() => row.plans === 3);
    expect(row.finished).toHaveLength(1);
    expect(await runsOf(suite, workflowId)).toBe(2);
  });
  expect(row.plans).toBe(4);
});

test('a command is finished once, however many signals arrive', async () => {
  const row = integrationRow();
  row.commands.push({ id: newId('command'), kind: 'verify' });
  await withWorkflow(row, async ({ wake }) => {
    await Promise.all(Array.from({ length: 20 }, () => wake()));
    await awaitUntil(() => row.finished.length > 0);
    row.commands.push({ id: newId('command'), kind: 'replace_token' });
    await Promise.all(Array.from({ length: 20 }, () => wake()));
    await awaitUntil(() => row.finished.length > 1);
  });
  expect(row.finished).toHaveLength(2);
  expect(new Set(row.finished).size).toBe(2);
});

test('an open rotation is resolved by any worker if the one that started it does not answer', async () => {
  const rotation = { attemptId: newId('rotation'), workerId: newId('worker'), nextCheckMs: 1 };
  const row = integrationRow({ rotation });
  const resolved: string[] = [];
  await withWorkflow(
    row,
    async () => void (await awaitUntil(() => resolved.length === 1, { timeoutMs: 40_000 })),
    {
      async resolveRotation({ attemptId }) {
        resolved.push(attemptId);
        row.snapshot.rotation = null;
        return { attemptId, code: 'not_rotated' };
      },
    },
  );
  expect(resolved).toEqual([rotation.attemptId]);
});

test('the first refusal of a token that worked is verified again after five seconds', async () => {
  const row = integrationRow({ nextVerifyMs: 1 });
  await withWorkflow(row, async () => void (await awaitUntil(() => row.verifications.length === 2)), {
    async verifyToken({ nowMs, commandId }) {
      row.verifications.push({ atMs: nowMs, commandId });
      row.snapshot.nextVerifyMs = null;
      return { status: 'active', suspicion: row.verifications.length === 1 };
    },
  });
  const [first, second] = row.verifications.map(({ atMs }) => atMs);
  expect(row.verifications).toHaveLength(2);
  expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(5_000);
  expect(Number(second) - Number(first)).toBeLessThan(8_000);
});

test('status and next wake are visible in the search attributes and the current details', async () => {
  const nextVerifyMs = Date.now() + 6 * HOUR_MS;
  const row = integrationRow({ nextVerifyMs, verdict: 'invalid' });
  await withWorkflow(row, async ({ integrationId, workflowId }) => {
    const state = await awaitUntil(async () => {
      const observed = await stateOf(suite, workflowId);
      return observed.attributes.get(NEXT_WAKE_ATTRIBUTE) === undefined ? null : observed;
    });
    expect(state.attributes.get(INTEGRATION_ID_ATTRIBUTE)).toBe(integrationId);
    expect(state.attributes.get(STATUS_ATTRIBUTE)).toBe('invalid');
    expect(state.attributes.get(NEXT_WAKE_ATTRIBUTE)?.getTime()).toBe(nextVerifyMs);
    expect(state.details).toBe(
      `Status: invalid. Next wake: ${new Date(nextVerifyMs).toISOString()}, or when something changes.`,
    );
    expect(state.summary).toBe(`Manages ${integrationId}`);
  });
});

test('an activity that fails for a while does not end the workflow', async () => {
  const row = integrationRow({ nextVerifyMs: 1 });
  const base = activitiesOver(row);
  let tries = 0;
  await withWorkflow(row, async () => void (await awaitUntil(() => row.verifications.length === 1)), {
    async planIntegration(input) {
      tries += 1;
      if (tries < 4) throw new SecuError('database_unavailable', 'the database does not answer');
      return base.planIntegration(input);
    },
    async verifyToken(input) {
      tries += 1;
      if (tries < 6) throw new Error('something unforeseen');
      return base.verifyToken(input);
    },
  });
  expect(row.cleanedUp).toBe(1);
});

test('a permanent failure is shown, does not end the workflow, and is tried again after a signal', async () => {
  const row = integrationRow({ nextVerifyMs: 1 });
  const base = activitiesOver(row);
  let readable = false;
  await withWorkflow(
    row,
    async ({ workflowId, wake }) => {
      await awaitUntil(async () => (await stateOf(suite, workflowId)).details.includes('secret_unreadable'));
      readable = true;
      await wake();
      await awaitUntil(() => row.verifications.length === 1);
    },
    {
      async verifyToken(input) {
        if (!readable) throw new SecuError('secret_unreadable', 'the record does not open');
        return base.verifyToken(input);
      },
    },
  );
  expect(row.cleanedUp).toBe(1);
});

test('a sync is a separate workflow that outlives a new run; a running one is joined', async () => {
  const row = integrationRow({ syncQueued: true });
  row.syncsOpened.push(newId('sync'));
  const listing = {
    listed: 0,
    added: 0,
    renamed: 0,
    excluded: 0,
    returned: 0,
    complete: true,
    cause: null,
    unreadable: [],
    gone: [],
    visible: [],
  };
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let finished = 0;
  await withWorkflow(
    row,
    async ({ integrationId, workflowId, wake }) => {
      const sync = suite.client.workflow.getHandle(syncWorkflowId(integrationId));
      await awaitUntil(async () => (await stateOf(suite, workflowId)).details.includes('Next wake'));
      row.snapshot.syncQueued = true;
      await wake();
      await awaitUntil(() => !row.snapshot.syncQueued);
      await awaitUntil(async () => (await runsOf(suite, workflowId)) === 2);
      release();
      await sync.result();
    },
    {
      async listRepositories() {
        await held;
        return listing;
      },
      applyListing: async () => ({ queued: 0 }),
      checkHeads: async () => ({ queued: 0 }),
      async finishSync() {
        finished += 1;
      },
    },
  );
  expect(finished).toBe(1);
});

test('a removed integration is cleaned up and its workflow ends', async () => {
  const row = integrationRow({ nextVerifyMs: Date.now() + HOUR_MS });
  await withWorkflow(row, async () => void (await awaitUntil(() => row.plans === 1)));
  expect(row.cleanedUp).toBe(1);
});

test('a command whose action fails permanently is abandoned, and the integration continues', async () => {
  const row = integrationRow({ verdict: 'active' });
  row.commands.push({ id: 'cmd_x', kind: 'verify' });
  const abandoned: unknown[] = [];
  await withWorkflow(
    row,
    async () => {
      await awaitUntil(() => abandoned.length === 1);
    },
    {
      async verifyToken() {
        throw new SecuError('key_unknown', 'the key ring lost a key');
      },
      async abandonCommand(input) {
        abandoned.push(input);
        row.commands.length = 0;
      },
    },
  );
  expect(abandoned).toEqual([expect.objectContaining({ commandId: 'cmd_x', kind: 'verify' })]);
});

test('an action that is planned repeatedly without effect does not make the workflow loop', async () => {
  const row = integrationRow({ verdict: 'active', nextVerifyMs: 1 });
  let verifications = 0;
  await withWorkflow(
    row,
    async () => {
      await awaitUntil(() => verifications === 5);
      await delay(1_000);
    },
    {
      async verifyToken() {
        verifications += 1;
        return { status: 'superseded', suspicion: false };
      },
    },
  );
  expect(verifications).toBe(5);
});
