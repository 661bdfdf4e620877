import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { IntegrationSnapshot } from '../../src/domain/schedule.ts';
import { nextAction } from '../../src/domain/schedule.ts';
import { expiryFrom } from '../../src/domain/token-expiry.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-06-01T12:00:00Z');
const THRESHOLDS = [60, 30, 14, 7, 3, 1];

function actionOf(observed: Partial<IntegrationSnapshot>, nowMs = NOW) {
  return nextAction({
    nowMs,
    thresholds: THRESHOLDS,
    snapshot: {
      removed: false,
      verdict: 'active',
      paused: false,
      nextVerifyMs: null,
      nextSyncMs: null,
      nextCheckMs: null,
      quietUntilMs: null,
      syncQueued: false,
      expiry: expiryFrom(null),
      flagged: null,
      command: null,
      rotation: null,
      nextRotateMs: null,
      ...observed,
    },
  });
}

const EVERYTHING: Partial<IntegrationSnapshot> = {
  removed: true,
  command: { id: 'cmd', kind: 'replace_token' },
  expiry: expiryFrom('2026-06-05'),
  nextVerifyMs: NOW,
  syncQueued: true,
};

describe('the most urgent action comes first', () => {
  const later: [string, Partial<IntegrationSnapshot>, ReturnType<typeof nextAction>][] = [
    ['removal before everything', {}, { do: 'clean_up' }],
    ['a new token', { removed: false }, { do: 'replace_token', commandId: 'cmd' }],
    [
      'a verification that a user requested',
      { command: { id: 'c', kind: 'verify' } },
      { do: 'verify', commandId: 'c' },
    ],
    ['the flag', { command: null }, { do: 'flag', thresholdDays: 7 }],
    ['the due verification', { flagged: 7 }, { do: 'verify', commandId: null }],
    ['the sync', { nextVerifyMs: null }, { do: 'sync' }],
  ];
  test.each(later)('%s', (_what, change, expected) => {
    const upToHere = later.slice(0, later.findIndex(([, own]) => own === change) + 1);
    const observed: Partial<IntegrationSnapshot> = Object.assign(
      {},
      EVERYTHING,
      ...upToHere.map(([, own]) => own),
    );
    expect(actionOf(observed)).toEqual(expected);
  });
});

test('with nothing due, it waits for the earliest deadline, at most a day', () => {
  expect(actionOf({})).toEqual({ do: 'wait', untilMs: NOW + DAY_MS });
  expect(actionOf({ nextVerifyMs: NOW + 5_000, nextSyncMs: NOW + 4_000 })).toEqual({
    do: 'wait',
    untilMs: NOW + 4_000,
  });
  const sevenDaysBefore = Date.parse('2026-06-08T00:00:00Z');
  expect(actionOf({ expiry: expiryFrom('2026-06-15'), flagged: 14 }, sevenDaysBefore - 60_000)).toEqual({
    do: 'wait',
    untilMs: sevenDaysBefore,
  });
});

test('a deadline at this exact moment is due', () => {
  expect(actionOf({ nextVerifyMs: NOW })).toEqual({ do: 'verify', commandId: null });
  expect(actionOf({ nextSyncMs: NOW })).toEqual({ do: 'sync' });
});

test.each(['pending', 'invalid'] as const)('no sync starts while the token is %s', (verdict) => {
  expect(actionOf({ verdict, syncQueued: true, nextSyncMs: NOW - 1 })).toEqual({
    do: 'wait',
    untilMs: NOW + DAY_MS,
  });
});

test('while paused, no sync starts; verification, commands and flags continue', () => {
  const paused = { paused: true, syncQueued: true, nextSyncMs: NOW - 1 };
  expect(actionOf(paused)).toEqual({ do: 'wait', untilMs: NOW + DAY_MS });
  expect(actionOf({ ...paused, nextVerifyMs: NOW - 1 })).toEqual({ do: 'verify', commandId: null });
  expect(actionOf({ ...paused, expiry: expiryFrom('2026-06-02') })).toEqual({ do: 'flag', thresholdDays: 1 });
});

test('a token with unknown expiry, or without expiry, is never flagged', () => {
  for (const expiresAt of [null, undefined])
    expect(actionOf({ expiry: expiryFrom(expiresAt) }).do).toBe('wait');
});

test('a wait always ends in the future, at most a day away', () => {
  const moment = fc.option(fc.integer({ min: NOW - 400 * DAY_MS, max: NOW + 400 * DAY_MS }), { nil: null });
  const date = fc
    .integer({ min: -10, max: 400 })
    .map((days) => new Date(NOW + days * DAY_MS).toISOString().slice(0, 10));
  fc.assert(
    fc.property(
      fc.record({
        verdict: fc.constantFrom('pending', 'active', 'invalid'),
        paused: fc.boolean(),
        nextVerifyMs: moment,
        nextSyncMs: moment,
        syncQueued: fc.boolean(),
        expiresAt: fc.option(date, { nil: null }),
        flagged: fc.option(fc.constantFrom(...THRESHOLDS, 0), { nil: null }),
      }),
      (observed) => {
        const action = actionOf(observed);
        if (action.do !== 'wait') return;
        expect(action.untilMs).toBeGreaterThan(NOW);
        expect(action.untilMs).toBeLessThanOrEqual(NOW + DAY_MS);
      },
    ),
  );
});

test('no flag is due twice', () => {
  fc.assert(
    fc.property(fc.integer({ min: -5, max: 120 }), (days) => {
      const expiresAt = new Date(NOW + days * DAY_MS).toISOString().slice(0, 10);
      let flagged: number | null = null;
      const done: number[] = [];
      for (let day = 0; day < 130; day += 0.5) {
        const action = actionOf({ expiry: expiryFrom(expiresAt), flagged }, NOW + day * DAY_MS);
        if (action.do !== 'flag') continue;
        flagged = action.thresholdDays;
        done.push(flagged);
      }
      expect(done).toEqual([...new Set(done)].toSorted((a, b) => b - a));
      expect(done.at(-1)).toBe(0);
    }),
    { numRuns: 50 },
  );
});

describe('rotation', () => {
  const rotation = { attemptId: 'rot', workerId: 'wrk', nextCheckMs: NOW };
  const resolve = { do: 'resolve_rotation', attemptId: 'rot', workerId: 'wrk' };

  test('a user request starts it, or first resolves an open attempt', () => {
    const command = { id: 'c', kind: 'rotate' } as const;
    expect(actionOf({ command })).toEqual({ do: 'rotate', commandId: 'c' });
    const waiting = { ...rotation, nextCheckMs: NOW + 1 };
    expect(actionOf({ command, rotation: waiting })).toEqual({ ...resolve, commandId: 'c' });
  });

  test('an open attempt is checked when it is due, before everything except a replacement', () => {
    const observed = { rotation, nextVerifyMs: NOW, nextRotateMs: NOW };
    expect(actionOf(observed)).toEqual({ ...resolve, commandId: null });
    const command = { id: 'c', kind: 'replace_token' } as const;
    expect(actionOf({ ...observed, command })).toEqual({ do: 'replace_token', commandId: 'c' });
    expect(actionOf({ rotation: { ...rotation, nextCheckMs: NOW + 5 } })).toEqual({
      do: 'wait',
      untilMs: NOW + 5,
    });
  });

  test('automatic rotation runs only while the token works and no attempt is open', () => {
    expect(actionOf({ nextRotateMs: NOW })).toEqual({ do: 'rotate', commandId: null });
    expect(actionOf({ nextRotateMs: NOW + 7 })).toEqual({ do: 'wait', untilMs: NOW + 7 });
    for (const verdict of ['pending', 'invalid'] as const)
      expect(actionOf({ nextRotateMs: NOW, verdict })).toMatchObject({ do: 'wait' });
    const open = { ...rotation, nextCheckMs: NOW + 5 };
    expect(actionOf({ nextRotateMs: NOW, rotation: open })).toEqual({ do: 'wait', untilMs: NOW + 5 });
  });
});
