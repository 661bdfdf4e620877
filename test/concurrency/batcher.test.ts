import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createBatcher } from '../../src/concurrency/batcher.ts';
import { createLimiter } from '../../src/concurrency/limiter.ts';
import type { SecuError } from '../../src/domain/errors.ts';

const STOPWATCH = { pause: () => {}, resume: () => {} };

interface Run {
  tasks: number[];
  signal: AbortSignal;
  end: () => void;
  fail: (err: Error) => void;
}

/** Tasks are numbers whose weight is their value. The test ends each run; the result is ten times the task. */
function createTestBatcher({
  slots = 1,
  timeoutMs = 60_000,
  minBatchSize = (): number => 1,
  maxWaitMs = 60_000,
} = {}) {
  const runs: Run[] = [];
  let runAdded = Promise.withResolvers<void>();
  const batcher = createBatcher<number, number>({
    limiter: createLimiter(slots),
    minBatchSize,
    maxWaitMs,
    maxBatchSize: 3,
    maxBatchWeight: 10,
    weightOf: (task) => task,
    timeoutMs,
    run: (tasks, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<number[]>();
      const run = { tasks: [...tasks], signal, end: () => resolve(tasks.map((n) => n * 10)), fail: reject };
      signal.addEventListener('abort', () => reject(new Error('stopped')));
      runs.push(run);
      runAdded.resolve();
      return promise;
    },
  });
  const nextRun = async (): Promise<Run> => {
    for (let run = runs.shift(); ; run = runs.shift()) {
      if (run !== undefined) return run;
      await runAdded.promise;
      runAdded = Promise.withResolvers<void>();
    }
  };
  const { signal } = new AbortController();
  const submit = (task: number, caller: Partial<Parameters<typeof batcher>[1]> = {}) =>
    batcher(task, { signal, stopwatch: STOPWATCH, ...caller });
  return { submit, nextRun, runs };
}

test('starts at once when the batch is large enough, then batches what has queued meanwhile, up to the limits', async () => {
  const { submit, nextRun } = createTestBatcher();
  const answers = Promise.all([1, 2, 3, 4, 20, 5].map((task) => submit(task)));
  const observed: number[][] = [];
  for (let count = 0; count < 6; ) {
    const run = await nextRun();
    observed.push(run.tasks);
    count += run.tasks.length;
    run.end();
  }
  expect(observed).toEqual([[1, 2, 3], [4, 5], [20]]);
  expect(await answers).toEqual([10, 20, 30, 40, 200, 50]);
});

test('runs a single task at once', async () => {
  const { submit, nextRun } = createTestBatcher();
  const first = submit(1);
  const run = await nextRun();
  expect(run.tasks).toEqual([1]);
  const second = submit(2);
  const third = submit(3);
  run.end();
  const next = await nextRun();
  expect(next.tasks).toEqual([2, 3]);
  next.end();
  expect(await Promise.all([first, second, third])).toEqual([10, 20, 30]);
});

test('waits for the minimum size that the newest task asks for, or for the maximum weight', async () => {
  const needed = [3];
  const { submit, nextRun, runs } = createTestBatcher({ minBatchSize: () => needed[0] ?? 1 });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const answers = [submit(1)];
  await turn();
  answers.push(submit(2));
  await turn();
  expect(runs).toEqual([]);
  answers.push(submit(3));
  const three = await nextRun();
  expect(three.tasks).toEqual([1, 2, 3]);
  three.end();
  answers.push(submit(4));
  await turn();
  needed[0] = 2;
  answers.push(submit(5));
  const two = await nextRun();
  expect(two.tasks).toEqual([4, 5]);
  two.end();
  needed[0] = 3;
  answers.push(submit(20));
  const heavy = await nextRun();
  expect(heavy.tasks).toEqual([20]);
  heavy.end();
  expect(await Promise.all(answers)).toEqual([10, 20, 30, 40, 50, 200]);
});

test('waits no longer than maxWaitMs, and not for canceled tasks', async () => {
  const { submit, nextRun, runs } = createTestBatcher({ minBatchSize: () => 3, maxWaitMs: 20 });
  const leaving = new AbortController();
  const remaining = submit(1, { signal: leaving.signal });
  const answer = submit(2);
  leaving.abort();
  await expect(remaining).rejects.toMatchObject({ code: 'canceled' });
  const run = await nextRun();
  expect(run.tasks).toEqual([2]);
  run.end();
  expect(await answer).toBe(20);
  expect(runs).toEqual([]);
});

test('runs each task of a failed batch alone, so that only the bad one fails', async () => {
  const { submit, nextRun } = createTestBatcher({ minBatchSize: () => 3 });
  const answers = Promise.allSettled([1, 2, 3].map((task) => submit(task)));
  (await nextRun()).fail(new Error('together'));
  const alone: number[][] = [];
  for (let count = 0; count < 3; count += 1) {
    const run = await nextRun();
    alone.push(run.tasks);
    if (run.tasks[0] === 2) run.fail(new Error('two is bad'));
    else run.end();
  }
  expect(alone).toEqual([[1], [2], [3]]);
  expect(await answers).toMatchObject([{ value: 10 }, { reason: { message: 'two is bad' } }, { value: 30 }]);
});

test('aborts a batch that takes too long and runs each task alone without that limit', async () => {
  const { submit, nextRun } = createTestBatcher({ timeoutMs: 20 });
  const answers = Promise.all([submit(1), submit(2)]);
  const together = await nextRun();
  expect(together.tasks).toEqual([1, 2]);
  for (const task of [1, 2]) {
    const run = await nextRun();
    expect(run.tasks).toEqual([task]);
    run.end();
  }
  expect(together.signal.aborted).toBe(true);
  expect(await answers).toEqual([10, 20]);
});

test('canceling one task does not stop its batch; canceling all of them does', async () => {
  const { submit, nextRun } = createTestBatcher();
  const [one, two] = [new AbortController(), new AbortController()];
  const first = submit(1, { signal: one.signal });
  const second = submit(2, { signal: two.signal });
  const run = await nextRun();
  one.abort();
  await expect(first).rejects.toMatchObject({ code: 'canceled' });
  expect(run.signal.aborted).toBe(false);
  two.abort();
  await expect(second).rejects.toMatchObject({ code: 'canceled' });
  expect(run.signal.aborted).toBe(true);
});

test('does not run a task that was canceled while it waited', async () => {
  const { submit, nextRun, runs } = createTestBatcher();
  const first = submit(1);
  const run = await nextRun();
  const leaving = new AbortController();
  const second = submit(2, { signal: leaving.signal });
  leaving.abort();
  await expect(second).rejects.toMatchObject({ code: 'canceled' });
  run.end();
  expect(await first).toBe(10);
  expect(runs).toEqual([]);
  await expect(submit(3, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'canceled' });
});

test('pauses the stopwatch from the start of the wait until the run begins', async () => {
  const { submit, nextRun } = createTestBatcher();
  const calls: string[] = [];
  const stopwatch = (name: string) => ({
    pause: () => calls.push(`${name} paused`),
    resume: () => calls.push(`${name} resumed`),
  });
  const first = submit(1, { stopwatch: stopwatch('a') });
  const run = await nextRun();
  const second = submit(2, { stopwatch: stopwatch('b') });
  expect(calls).toEqual(['a paused', 'a resumed', 'b paused']);
  run.end();
  await first;
  (await nextRun()).end();
  await second;
  expect(calls.filter((call) => call.startsWith('b'))).toEqual(['b paused', 'b resumed', 'b resumed']);
});

test('every task gets its own result, whatever fails, is canceled or waits', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ weight: fc.integer({ min: 1, max: 12 }), isBad: fc.boolean(), leaves: fc.boolean() }),
        { maxLength: 20 },
      ),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 6 }),
      async (tasks, places, enough) => {
        const numbered = tasks.map((task, number) => ({ ...task, number }));
        const running = { now: 0, most: 0 };
        const batcher = createBatcher<(typeof numbered)[number], number>({
          limiter: createLimiter(places),
          minBatchSize: () => enough,
          maxWaitMs: 1,
          maxBatchSize: 4,
          maxBatchWeight: 10,
          weightOf: ({ weight }) => weight,
          timeoutMs: 60_000,
          async run(taken) {
            running.now += 1;
            running.most = Math.max(running.most, running.now);
            await new Promise((resolve) => setImmediate(resolve));
            running.now -= 1;
            expect(taken.length === 1 || taken.reduce((sum, { weight }) => sum + weight, 0) <= 10).toBe(true);
            if (taken.some(({ isBad }) => isBad)) throw new Error('bad');
            return taken.map(({ number }) => number);
          },
        });
        const requested = numbered.map((task) => {
          const leaving = new AbortController();
          if (task.leaves) setImmediate(() => leaving.abort());
          return batcher(task, { signal: leaving.signal, stopwatch: STOPWATCH });
        });
        for (const [index, end] of (await Promise.allSettled(requested)).entries()) {
          const { isBad, leaves } = numbered[index] ?? { isBad: false, leaves: false };
          if (end.status === 'fulfilled') expect([end.value, isBad]).toEqual([index, false]);
          else expect(leaves || isBad).toBe(true);
          if (end.status === 'rejected' && !isBad) expect((end.reason as SecuError).code).toBe('canceled');
        }
        expect(running.most).toBeLessThanOrEqual(places);
      },
    ),
    { numRuns: 100 },
  ));
