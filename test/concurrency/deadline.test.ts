import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createDeadline } from '../../src/concurrency/deadline.ts';

test('fires when its time is used up, and no time is used while it stands', async () => {
  const deadline = createDeadline(40);
  deadline.stop();
  await wait(80);
  expect(deadline.signal.aborted).toBe(false);
  const fired = new Promise((resolve) => deadline.signal.addEventListener('abort', resolve));
  deadline.go();
  deadline.go();
  await fired;
  expect(deadline.signal.aborted).toBe(true);
});

test('one that has ended does not fire, and holds nothing that would', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const deadlines = Array.from({ length: 5 }, () => createDeadline(3_600_000));
  expect(timers()).toBe(before + 5);
  for (const deadline of deadlines) {
    deadline.end();
    deadline.go();
  }
  expect(timers()).toBe(before);
});
