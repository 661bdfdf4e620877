import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { newId } from '../../src/db/new-id.ts';
import { expiryFrom, expiryMs } from '../../src/domain/token-expiry.ts';
import { integrationWorkflowId } from '../../src/workflows/contract.ts';
import type { AllActivities } from './support/activities.ts';
import { startClockServer } from './support/clock-server.ts';
import type { IntegrationRow } from './support/integration-row.ts';
import { activitiesOver, integrationRow, THRESHOLDS } from './support/integration-row.ts';
import type { Suite } from './support/suite.ts';
import { openSuite } from './support/suite.ts';
import { forward } from './support/time.ts';

const DAY_MS = 86_400_000;
const STEP_DAYS = 60;
let server: Awaited<ReturnType<typeof startClockServer>>;
let suite: Suite;

beforeAll(async () => {
  server = await startClockServer();
  suite = await openSuite(server);
});
afterAll(async () => {
  await suite.close();
  await server.stop();
});

const dayAfter = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

interface Life {
  wake: () => Promise<void>;
  /** By the server's own time skipping; this process keeps its clock. */
  forward: (days: number) => Promise<void>;
}

async function through(
  row: IntegrationRow,
  work: (life: Life) => Promise<void>,
  own: Partial<AllActivities> = {},
): Promise<void> {
  const integrationId = newId('integration');
  const workflowId = integrationWorkflowId(integrationId);
  await suite.withWorkers(activitiesOver(row, own), async ({ starters }) => {
    const wake = () => starters.wakeIntegration(integrationId);
    await wake();
    await awaitUntil(() => row.plans > 0);
    await work({
      wake,
      // in steps, each of which has its own patience
      async forward(days) {
        for (let left = days; left > 0; left -= STEP_DAYS)
          await forward(suite, { workflowId, ms: Math.min(left, STEP_DAYS) * DAY_MS });
      },
    });
    row.snapshot.removed = true;
    await wake();
    await suite.client.workflow.getHandle(workflowId).result();
  });
}

/** Days before the death of this token at which it was flagged, in whole days: late by less than a minute. */
function daysBefore(row: IntegrationRow, expiresAt: string): number[] {
  return row.flags.map(({ atMs }) => {
    const days = (expiryMs(expiresAt) - atMs) / DAY_MS;
    expect(Math.ceil(days) - days).toBeLessThan(60_000 / DAY_MS);
    return Math.ceil(days) + 0;
  });
}

test('in more than a year of waiting a token is flagged at each threshold once, and verified when it dies', async () => {
  const expiresAt = dayAfter(370);
  const row = integrationRow({ expiry: expiryFrom(expiresAt) });
  await through(row, async (life) => {
    await life.forward(300);
    expect(row.flags).toEqual([]);
    await life.forward(90);
  });
  expect(row.flags.map(({ thresholdDays }) => thresholdDays)).toEqual([...THRESHOLDS, 0]);
  expect(daysBefore(row, expiresAt)).toEqual([...THRESHOLDS, 0]);
  expect(row.verifications).toHaveLength(1);
  expect(row.verifications[0]?.atMs).toBeGreaterThanOrEqual(expiryMs(expiresAt));
  // it looked at its rows every day, and each look was a run of its own
  expect(row.plans).toBeGreaterThan(390);
}, 180_000);

test('a replaced token starts its thresholds anew, a signal and a pause in between change no date', async () => {
  const [firstDeath, secondDeath] = [dayAfter(40), dayAfter(76)];
  const row = integrationRow({ expiry: expiryFrom(firstDeath) });
  const base = activitiesOver(row);
  await through(
    row,
    async (life) => {
      await awaitUntil(() => row.flags.length === 1);
      await life.forward(12);
      expect(row.flags.map(({ thresholdDays }) => thresholdDays)).toEqual([60, 30]);
      row.commands.push({ id: newId('command'), kind: 'replace_token' });
      await life.wake();
      await awaitUntil(() => row.finished.length === 1);
      row.flags = [];
      row.snapshot.paused = true;
      await life.wake();
      await life.forward(45);
      row.snapshot.paused = false;
      await life.wake();
      await life.forward(21);
    },
    {
      async replaceToken(input) {
        row.snapshot.expiry = expiryFrom(secondDeath);
        row.snapshot.flagged = null;
        return base.replaceToken(input);
      },
    },
  );
  expect(row.flags.map(({ thresholdDays }) => thresholdDays)).toEqual([...THRESHOLDS, 0]);
  expect(daysBefore(row, secondDeath)).toEqual([...THRESHOLDS, 0]);
});

test('several thresholds that were missed make one flag', async () => {
  const expiresAt = dayAfter(5);
  const row = integrationRow({ expiry: expiryFrom(expiresAt) });
  await through(row, async (life) => {
    await awaitUntil(() => row.flags.length > 0);
    await life.forward(3);
  });
  expect(row.flags.map(({ thresholdDays }) => thresholdDays)).toEqual([7, 3]);
});

test('removal ends the waiting: nothing is flagged any more', async () => {
  const row = integrationRow({ expiry: expiryFrom(dayAfter(65)) });
  await through(row, async (life) => {
    await life.forward(6);
  });
  expect(row.flags.map(({ thresholdDays }) => thresholdDays)).toEqual([60]);
  expect(row.cleanedUp).toBe(1);
});

test('a failing activity is tried again after its pause, also when that pause is skipped', async () => {
  const row = integrationRow({ nextVerifyMs: Date.now() + DAY_MS });
  const base = activitiesOver(row);
  let tries = 0;
  await through(
    row,
    async (life) => {
      await life.forward(2);
      await awaitUntil(() => row.verifications.length === 1);
    },
    {
      async verifyToken(input) {
        tries += 1;
        if (tries < 6) throw new Error('something unforeseen');
        return base.verifyToken(input);
      },
    },
  );
  expect(tries).toBe(6);
});
