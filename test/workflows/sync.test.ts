import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Context, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { awaitUntil } from '../../harness/await-until.ts';
import type { ListingOutcome } from '../../src/activities/sync/listing.ts';
import { newId } from '../../src/db/new-id.ts';
import { SecuError } from '../../src/domain/errors.ts';
import { syncWorkflowId } from '../../src/workflows/contract.ts';
import type { AllActivities } from './support/activities.ts';
import { activitiesWith, untilCanceled } from './support/activities.ts';
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

const LISTED: ListingOutcome = {
  listed: 42,
  added: 1,
  renamed: 0,
  excluded: 0,
  returned: 0,
  complete: true,
  unreadable: [],
  cause: null,
  gone: [],
  visible: [],
};

interface Seen {
  settled: ListingOutcome[];
  finished: { listing: ListingOutcome; queuedScans: number }[];
  heads: number;
  canceled: number;
}

/** The writes of a sync, in memory. */
function recording(own: Partial<AllActivities>): { seen: Seen; activities: AllActivities } {
  const observed: Seen = { settled: [], finished: [], heads: 0, canceled: 0 };
  const activities = activitiesWith({
    listRepositories: async () => LISTED,
    async listingFailed({ cause }) {
      return { ...LISTED, listed: 7, complete: false, cause };
    },
    async applyListing({ listing }) {
      observed.settled.push(listing);
      return { queued: listing.complete ? 2 : 0 };
    },
    async checkHeads() {
      observed.heads += 1;
      return { queued: 3 };
    },
    async finishSync({ listing, queuedScans }) {
      observed.finished.push({ listing, queuedScans });
    },
    async cancelSync() {
      observed.canceled += 1;
    },
    ...own,
  });
  return { seen: observed, activities };
}

async function sync(
  activities: AllActivities,
  work: (workflowId: string) => Promise<void> = async () => {},
): Promise<void> {
  const integrationId = newId('integration');
  await suite.withWorkers(activities, async ({ taskQueue }) => {
    const workflowId = syncWorkflowId(integrationId);
    const handle = await suite.client.workflow.start('syncWorkflow', {
      workflowId,
      taskQueue,
      args: [{ integrationId, syncId: newId('sync') }],
    });
    await work(workflowId);
    await handle.result();
  });
}

test('a complete listing is applied, heads are checked, and all resulting scans are counted', async () => {
  const { seen, activities } = recording({});
  await sync(activities);
  expect(seen).toEqual({
    settled: [LISTED],
    finished: [{ listing: LISTED, queuedScans: 5 }],
    heads: 1,
    canceled: 0,
  });
});

test('a listing that fails on every attempt ends incomplete with its cause, and removes nothing', async () => {
  let tries = 0;
  const { seen, activities } = recording({
    async listRepositories() {
      tries += 1;
      throw new SecuError('gitlab_reply_unreadable', 'page 3 is HTML');
    },
  });
  await sync(activities, async (workflowId) => {
    await awaitUntil(() => tries > 0);
    // time skipping moves to the next attempt of a waiting activity
    await forward(suite, { workflowId, ms: 1_800_000 });
  });
  expect(tries).toBe(8);
  expect(seen.heads).toBe(0);
  expect(
    seen.finished.map(({ listing, queuedScans }) => [listing.complete, listing.cause, queuedScans]),
  ).toEqual([[false, 'gitlab_reply_unreadable', 0]]);
  expect(seen.settled.every(({ complete }) => !complete)).toBe(true);
});

test('a definite refusal is not retried', async () => {
  let tries = 0;
  const { seen, activities } = recording({
    async listRepositories() {
      tries += 1;
      throw new SecuError('secret_unreadable', 'the record does not open');
    },
  });
  await sync(activities);
  expect(tries).toBe(1);
  expect(seen.finished[0]?.listing.cause).toBe('secret_unreadable');
});

test('a listing whose worker disappeared resumes from its last heartbeat', async () => {
  const cursors: unknown[] = [];
  const { seen, activities } = recording({
    async listRepositories() {
      const context = Context.current();
      cursors.push(context.info.heartbeatDetails ?? null);
      if (context.info.attempt === 1) {
        heartbeat({ after: 300 });
        throw ApplicationFailure.retryable('gone');
      }
      return LISTED;
    },
  });
  await sync(activities);
  expect(cursors).toEqual([null, { after: 300 }]);
  expect(seen.finished).toHaveLength(1);
});

test('heads that cannot be checked leave the sync unchanged', async () => {
  const { seen, activities } = recording({
    async checkHeads() {
      throw new SecuError('secret_unreadable', 'the record does not open');
    },
  });
  await sync(activities);
  expect(seen.finished).toEqual([{ listing: LISTED, queuedScans: 2 }]);
});

test('a canceled sync stops its listing and ends its row', async () => {
  let began = false;
  const { seen, activities } = recording({
    async listRepositories() {
      began = true;
      return untilCanceled();
    },
  });
  const canceled = sync(activities, async (workflowId) => {
    await awaitUntil(() => began);
    await suite.client.workflow.getHandle(workflowId).cancel();
  });
  await expect(canceled).rejects.toThrow('Workflow execution cancelled');
  expect(seen).toEqual({ settled: [], finished: [], heads: 0, canceled: 1 });
});
