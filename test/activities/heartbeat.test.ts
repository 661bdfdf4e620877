import { expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { withHeartbeat } from '../../src/activities/heartbeat.ts';

/** The details of all heartbeats of one activity. */
async function beatsOf(work: (signal: AbortSignal) => Promise<unknown>): Promise<unknown[]> {
  const beats: unknown[] = [];
  const environment = new MockActivityEnvironment();
  environment.on('heartbeat', (details: unknown) => beats.push(details));
  let count = 0;
  const details = () => {
    count += 1;
    return count;
  };
  await environment.run(() => withHeartbeat(details, work)).catch(() => 'it failed');
  return beats;
}

test('short work sends no heartbeat', async () => {
  expect(await beatsOf(async () => 'done')).toEqual([]);
});

test('longer work sends one heartbeat per second, and none after its end', async () => {
  const long = Promise.withResolvers<void>();
  const beats: unknown[] = [];
  const environment = new MockActivityEnvironment();
  environment.on('heartbeat', (details: unknown) => {
    beats.push(details);
    if (beats.length === 2) long.resolve();
  });
  await environment.run(() =>
    withHeartbeat(
      () => 'alive',
      () => long.promise,
    ),
  );
  expect(beats).toEqual(['alive', 'alive']);
});

test('failed work leaves its progress for the next attempt', async () => {
  expect(await beatsOf(() => Promise.reject(new Error('it broke')))).toEqual([1]);
});
