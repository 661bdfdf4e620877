import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createPacer } from '../../src/gitlab/pacer.ts';

const origin = 'https://gitlab.example.com';
const lane = 'token projects';

async function elapsedMs(action: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}

test("a burst of one second's requests is sent at once, the rest at the rate", async () => {
  const pacer = createPacer({ perSecond: 20, now: () => 1_000_000 });
  let remaining = 0;
  const startedMs = performance.now();
  const takeOne = () => pacer.take({ origin, lane }).then(() => (remaining += 1));
  const rest = Array.from({ length: 26 }, takeOne).slice(20);
  await new Promise((resolve) => setImmediate(resolve));
  expect(remaining).toBe(20);
  // timers fire in order, however slow the machine is
  const tooLate = wait(600).then(() => 'too late');
  expect(await Promise.race([Promise.all(rest), tooLate])).toEqual([21, 22, 23, 24, 25, 26]);
  expect(performance.now() - startedMs).toBeGreaterThan(250);
});

test('over many requests the rate is never exceeded, however many are waiting', async () => {
  const pacer = createPacer({ perSecond: 50 });
  const leftAtMs: number[] = [];
  await Promise.all(
    Array.from({ length: 125 }, async () => {
      await pacer.take({ origin, lane });
      leftAtMs.push(performance.now());
    }),
  );
  const firstMs = leftAtMs[0] ?? 0;
  const lastMs = leftAtMs.at(-1) ?? 0;
  expect(lastMs - firstMs).toBeGreaterThan(1_400);
});

test('origins do not delay each other', async () => {
  const pacer = createPacer({ perSecond: 1 });
  await pacer.take({ origin, lane });
  const remaining: string[] = [];
  const takeFor = (from: string) => pacer.take({ origin: from, lane }).then(() => remaining.push(from));
  const other = 'https://other.example.com';
  await Promise.all([takeFor(origin), takeFor(other)]);
  expect(remaining).toEqual([other, origin]);
});

test('a waiting request stops when its signal fires, with the reason of the signal', async () => {
  const pacer = createPacer({ perSecond: 1 });
  await pacer.take({ origin, lane });
  const canceling = new AbortController();
  const reason = new Error('shut down');
  const waiting = pacer.take({ origin, lane, signal: canceling.signal });
  canceling.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(pacer.take({ origin, lane, signal: canceling.signal })).rejects.toBe(reason);
});

test.each([
  ['origin', origin],
  ['lane', lane],
])('a short pause of an %s also delays requests that were already waiting', async (_name, key) => {
  const pacer = createPacer({ perSecond: 20 });
  await Promise.all(Array.from({ length: 20 }, () => pacer.take({ origin, lane })));
  const inLine = elapsedMs(() => pacer.take({ origin, lane }));
  pacer.pause({ key, untilMs: Date.now() + 300 });
  expect(await inLine).toBeGreaterThan(250);
});

test('a pause of one lane does not delay another, and a shorter pause does not end a longer one', async () => {
  const pacer = createPacer({ perSecond: 100 });
  pacer.pause({ key: lane, untilMs: Date.now() + 60_000 });
  pacer.pause({ key: lane, untilMs: Date.now() + 10 });
  await pacer.take({ origin, lane: 'another token' });
  await expect(pacer.take({ origin, lane })).rejects.toMatchObject({ code: 'gitlab_rate_limited' });
});

test('a request does not wait for a long pause; its error contains the length', async () => {
  let nowMs = 1_000_000;
  const pacer = createPacer({ perSecond: 100, now: () => nowMs });
  pacer.pause({ key: origin, untilMs: nowMs + 600_000 });
  await expect(pacer.take({ origin, lane })).rejects.toMatchObject({
    code: 'gitlab_rate_limited',
    details: { retryAfterMs: 600_000 },
  });
  nowMs += 600_000;
  await pacer.take({ origin, lane });
});

test('while the length of a pause is a guess, a few interactive requests are sent; others get the time to retry', async () => {
  let nowMs = 1_000_000;
  const pacer = createPacer({ perSecond: 1_000, now: () => nowMs });
  const person = { origin, lane, interactive: true };
  pacer.pause({ key: lane, untilMs: nowMs + 60_000, guessed: true });
  await expect(pacer.take({ origin, lane })).rejects.toMatchObject({ code: 'gitlab_rate_limited' });
  for (let request = 0; request < 20; request += 1) await pacer.take(person);
  await expect(pacer.take(person)).rejects.toMatchObject({
    code: 'gitlab_rate_limited',
    message: expect.stringContaining('try again in 60 s'),
    details: { retryAfterMs: 60_000 },
  });
  nowMs += 61_000;
  await pacer.take(person);
});

test('a pause that GitLab set applies to everyone, and interactive requests do not wait for its end', async () => {
  const pacer = createPacer({ perSecond: 1_000, now: () => 1_000_000 });
  pacer.pause({ key: origin, untilMs: 1_010_000 });
  await expect(pacer.take({ origin, lane, interactive: true })).rejects.toMatchObject({
    details: { retryAfterMs: 10_000 },
  });
});
