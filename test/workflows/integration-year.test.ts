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
  /** Uses the time skipping of the server; this process keeps its clock. */
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
      // in steps, each with its own timeout
      async forward(days) {
        for (let remaining = days; remaining > 0; remaining -= STEP_DAYS)
          await forward(suite, { workflowId, ms: Math.min(remaining, STEP_DAYS) * DAY_MS });
      },
    });
    row.snapshot.removed = true;
    await wake();
    await suite.client.workflow.getHandle(workflowId).result();
  });
}

/** Whole days before the expiry at which the token was flagged; each flag is late by less than a minute. */
function daysBefore(row: IntegrationRow, expiresAt: string): number[] {
  return row.flags.map(({ atMs }) => {
    const days = (expiryMs(expiresAt) - atMs) / DAY_MS;
    expect(Math.ceil(days) - days).toBeLessThan(60_000 / DAY_MS);
    return Math.ceil(days) + 0;
  });
}

test('in more than a year a token is flagged once per threshold, and verified at its expiry', async () => {
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
  // it planned every day, and each plan was its own run
  expect(row.plans).toBeGreaterThan(390);
}, 180_000);

test('a replaced token starts its thresholds again, and a signal or a pause changes no date', async () => {
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

test('several missed thresholds cause one flag', async () => {
  const expiresAt = dayAfter(5);
  const row = integrationRow({ expiry: expiryFrom(expiresAt) });
  await through(row, async (life) => {
    await awaitUntil(() => row.flags.length > 0);
    await life.forward(3);
  });
  expect(row.flags.map(({ thresholdDays }) => thresholdDays)).toEqual([7, 3]);
});

test('removal ends the waiting, and nothing is flagged afterwards', async () => {
  const row = integrationRow({ expiry: expiryFrom(dayAfter(65)) });
  await through(row, async (life) => {
    await life.forward(6);
  });
  expect(row.flags.map(({ thresholdDays }) => thresholdDays)).toEqual([60]);
  expect(row.cleanedUp).toBe(1);
});

test('a failing activity is retried after its delay, also if that delay is skipped', async () => {
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
