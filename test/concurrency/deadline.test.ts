import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createDeadline } from '../../src/concurrency/deadline.ts';

test('fires when the time is used up, not counting the time it was paused', async () => {
  const deadline = createDeadline(40);
  deadline.pause();
  await wait(80);
  expect(deadline.signal.aborted).toBe(false);
  const fired = new Promise((resolve) => deadline.signal.addEventListener('abort', resolve));
  deadline.resume();
  deadline.resume();
  await fired;
  expect(deadline.signal.aborted).toBe(true);
});

test('a closed deadline never fires and leaves no timer behind', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const deadlines = Array.from({ length: 5 }, () => createDeadline(3_600_000));
  expect(timers()).toBe(before + 5);
  for (const deadline of deadlines) {
    deadline.close();
    deadline.resume();
  }
  expect(timers()).toBe(before);
});
