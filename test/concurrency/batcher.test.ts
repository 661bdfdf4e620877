import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createBatches } from '../../src/concurrency/batcher.ts';
import { createTurns } from '../../src/concurrency/limiter.ts';
import type { SecuError } from '../../src/domain/errors.ts';

const CLOCK = { stop: () => {}, go: () => {} };

interface Run {
  tasks: number[];
  signal: AbortSignal;
  end: () => void;
  fail: (err: Error) => void;
}

/** Batches of numbers that weigh what they are; the test ends each run, which gives the tenfold. */
function world({ places = 1, mostMs = 60_000, enough = (): number => 1, patienceMs = 60_000 } = {}) {
  const runs: Run[] = [];
  let told = Promise.withResolvers<void>();
  const batches = createBatches<number, number>({
    takeTurn: createTurns(places),
    enough,
    patienceMs,
    most: 3,
    mostWeight: 10,
    weightOf: (task) => task,
    mostMs,
    run: (tasks, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<number[]>();
      const run = { tasks: [...tasks], signal, end: () => resolve(tasks.map((n) => n * 10)), fail: reject };
      signal.addEventListener('abort', () => reject(new Error('stopped')));
      runs.push(run);
      told.resolve();
      return promise;
    },
  });
  const nextRun = async (): Promise<Run> => {
    for (let run = runs.shift(); ; run = runs.shift()) {
      if (run !== undefined) return run;
      await told.promise;
      told = Promise.withResolvers<void>();
    }
  };
  const { signal } = new AbortController();
  const ask = (task: number, whose: Partial<Parameters<typeof batches>[1]> = {}) =>
    batches(task, { signal, clock: CLOCK, ...whose });
  return { ask, nextRun, runs };
}

test('one that is enough does not wait for company; who comes meanwhile is done together, up to what goes in', async () => {
  const { ask, nextRun } = world();
  const answers = Promise.all([1, 2, 3, 4, 20, 5].map((task) => ask(task)));
  const seen: number[][] = [];
  for (let count = 0; count < 6; ) {
    const run = await nextRun();
    seen.push(run.tasks);
    count += run.tasks.length;
    run.end();
  }
  expect(seen).toEqual([[1, 2, 3], [4, 5], [20]]);
  expect(await answers).toEqual([10, 20, 30, 40, 200, 50]);
});

test('one that comes alone runs alone, at once', async () => {
  const { ask, nextRun } = world();
  const first = ask(1);
  const run = await nextRun();
  expect(run.tasks).toEqual([1]);
  const second = ask(2);
  const third = ask(3);
  run.end();
  const next = await nextRun();
  expect(next.tasks).toEqual([2, 3]);
  next.end();
  expect(await Promise.all([first, second, third])).toEqual([10, 20, 30]);
});

test('what is not enough waits for more, as the last that came knows, and no longer than until it weighs enough', async () => {
  const needed = [3];
  const { ask, nextRun, runs } = world({ enough: () => needed[0] ?? 1 });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const answers = [ask(1)];
  await turn();
  answers.push(ask(2));
  await turn();
  expect(runs).toEqual([]);
  answers.push(ask(3));
  const three = await nextRun();
  expect(three.tasks).toEqual([1, 2, 3]);
  three.end();
  answers.push(ask(4));
  await turn();
  needed[0] = 2;
  answers.push(ask(5));
  const two = await nextRun();
  expect(two.tasks).toEqual([4, 5]);
  two.end();
  needed[0] = 3;
  answers.push(ask(20));
  const heavy = await nextRun();
  expect(heavy.tasks).toEqual([20]);
  heavy.end();
  expect(await Promise.all(answers)).toEqual([10, 20, 30, 40, 50, 200]);
});

test('it waits no longer than its patience lasts, and not for what left', async () => {
  const { ask, nextRun, runs } = world({ enough: () => 3, patienceMs: 20 });
  const leaving = new AbortController();
  const left = ask(1, { signal: leaving.signal });
  const answer = ask(2);
  leaving.abort();
  await expect(left).rejects.toMatchObject({ code: 'canceled' });
  const run = await nextRun();
  expect(run.tasks).toEqual([2]);
  run.end();
  expect(await answer).toBe(20);
  expect(runs).toEqual([]);
});

test('of a batch that fails each is run alone, and only the bad one fails', async () => {
  const { ask, nextRun } = world({ enough: () => 3 });
  const answers = Promise.allSettled([1, 2, 3].map((task) => ask(task)));
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

test('a batch that takes too long is given up, and each runs alone without that limit', async () => {
  const { ask, nextRun } = world({ mostMs: 20 });
  const answers = Promise.all([ask(1), ask(2)]);
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

test('who leaves does not stop the others; when all have left it is stopped', async () => {
  const { ask, nextRun } = world();
  const [one, two] = [new AbortController(), new AbortController()];
  const first = ask(1, { signal: one.signal });
  const second = ask(2, { signal: two.signal });
  const run = await nextRun();
  one.abort();
  await expect(first).rejects.toMatchObject({ code: 'canceled' });
  expect(run.signal.aborted).toBe(false);
  two.abort();
  await expect(second).rejects.toMatchObject({ code: 'canceled' });
  expect(run.signal.aborted).toBe(true);
});

test('who leaves while it waits is not run', async () => {
  const { ask, nextRun, runs } = world();
  const first = ask(1);
  const run = await nextRun();
  const leaving = new AbortController();
  const second = ask(2, { signal: leaving.signal });
  leaving.abort();
  await expect(second).rejects.toMatchObject({ code: 'canceled' });
  run.end();
  expect(await first).toBe(10);
  expect(runs).toEqual([]);
  await expect(ask(3, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'canceled' });
});

test('a clock stands from when one waits until its run begins', async () => {
  const { ask, nextRun } = world();
  const said: string[] = [];
  const clock = (name: string) => ({ stop: () => said.push(`${name} -`), go: () => said.push(`${name} +`) });
  const first = ask(1, { clock: clock('a') });
  const run = await nextRun();
  const second = ask(2, { clock: clock('b') });
  expect(said).toEqual(['a -', 'a +', 'b -']);
  run.end();
  await first;
  (await nextRun()).end();
  await second;
  expect(said.filter((word) => word.startsWith('b'))).toEqual(['b -', 'b +', 'b +']);
});

test('every task has an answer of its own, whatever fails, leaves or waits', () =>
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
        const batches = createBatches<(typeof numbered)[number], number>({
          takeTurn: createTurns(places),
          enough: () => enough,
          patienceMs: 1,
          most: 4,
          mostWeight: 10,
          weightOf: ({ weight }) => weight,
          mostMs: 60_000,
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
        const asked = numbered.map((task) => {
          const leaving = new AbortController();
          if (task.leaves) setImmediate(() => leaving.abort());
          return batches(task, { signal: leaving.signal, clock: CLOCK });
        });
        for (const [index, end] of (await Promise.allSettled(asked)).entries()) {
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
