import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  daysLeft,
  dueFlag,
  expiryFrom,
  expiryMs,
  expiryState,
  nextFlagMs,
  reachedThreshold,
  standingFlag,
} from '../../src/domain/token-expiry.ts';

const DAY_MS = 86_400_000;
const thresholds = [60, 30, 14, 7, 3, 1];
const at = (text: string): number => Date.parse(text);

test('a token expires at 00:00 UTC of its date', () => {
  const expiresAt = '2027-01-31';
  expect(expiryMs(expiresAt)).toBe(at('2027-01-31T00:00:00Z'));
  expect(
    expiryState({ expiry: expiryFrom(expiresAt), nowMs: at('2027-01-30T23:59:59.999Z'), thresholds }),
  ).toBe('expiring');
  expect(expiryState({ expiry: expiryFrom(expiresAt), nowMs: at('2027-01-31T00:00:00Z'), thresholds })).toBe(
    'expired',
  );
});

test.each([
  ['2026-11-23T00:00:00Z', 69],
  ['2027-01-29T00:00:00.001Z', 2],
  ['2027-01-30T00:00:00Z', 1],
  ['2027-01-30T23:59:59.999Z', 1],
  ['2027-01-31T00:00:00Z', 0],
  ['2028-01-01T00:00:00Z', 0],
])('at %s, a token that expires on 2027-01-31 has %d days left', (now, expected) => {
  expect(daysLeft({ expiresAt: '2027-01-31', nowMs: at(now) })).toBe(expected);
});

test('days are UTC days, across leap days and daylight-saving changes', () => {
  expect(daysLeft({ expiresAt: '2028-03-01', nowMs: at('2028-02-28T00:00:00Z') })).toBe(2);
  expect(daysLeft({ expiresAt: '2027-04-01', nowMs: at('2027-03-01T00:00:00Z') })).toBe(31);
});

test('no date means never, a missing field means unknown, and neither is ever flagged', () => {
  const nowMs = at('2026-01-01T00:00:00Z');
  expect(expiryState({ expiry: expiryFrom(null), nowMs, thresholds })).toBe('never');
  expect(expiryState({ expiry: expiryFrom(undefined), nowMs, thresholds })).toBe('unknown');
  for (const expiresAt of [null, undefined]) {
    expect(dueFlag({ expiry: expiryFrom(expiresAt), nowMs, thresholds, flagged: null })).toBeNull();
    expect(nextFlagMs({ expiry: expiryFrom(expiresAt), nowMs, thresholds, flagged: null })).toBeNull();
  }
});

describe('flags', () => {
  const expiresAt = '2027-01-31';
  const daysBefore = (days: number): number => expiryMs(expiresAt) - days * DAY_MS;

  test('are due exactly their number of days before expiry', () => {
    expect(
      dueFlag({ expiry: expiryFrom(expiresAt), nowMs: daysBefore(60) - 1, thresholds, flagged: null }),
    ).toBeNull();
    expect(dueFlag({ expiry: expiryFrom(expiresAt), nowMs: daysBefore(60), thresholds, flagged: null })).toBe(
      60,
    );
  });

  test('that were missed become one flag, the smallest threshold', () => {
    expect(dueFlag({ expiry: expiryFrom(expiresAt), nowMs: daysBefore(5), thresholds, flagged: null })).toBe(
      7,
    );
    expect(dueFlag({ expiry: expiryFrom(expiresAt), nowMs: daysBefore(5), thresholds, flagged: 30 })).toBe(7);
    expect(dueFlag({ expiry: expiryFrom(expiresAt), nowMs: daysBefore(-400), thresholds, flagged: 60 })).toBe(
      0,
    );
  });

  test('are never repeated and never return to a larger threshold', () => {
    expect(
      dueFlag({ expiry: expiryFrom(expiresAt), nowMs: daysBefore(5), thresholds, flagged: 7 }),
    ).toBeNull();
    expect(
      dueFlag({ expiry: expiryFrom(expiresAt), nowMs: daysBefore(5), thresholds, flagged: 1 }),
    ).toBeNull();
    expect(
      dueFlag({ expiry: expiryFrom(expiresAt), nowMs: daysBefore(0), thresholds, flagged: 0 }),
    ).toBeNull();
  });

  test('come in order: the next threshold, then expiry, then none', () => {
    const next = (nowMs: number, flagged: number | null) =>
      nextFlagMs({ expiry: expiryFrom(expiresAt), nowMs, thresholds, flagged });
    expect(next(at('2026-11-23T08:00:00Z'), null)).toBe(at('2026-12-02T00:00:00Z'));
    expect(next(daysBefore(60), 60)).toBe(daysBefore(30));
    expect(next(daysBefore(1), 1)).toBe(daysBefore(0));
    expect(next(daysBefore(0), 0)).toBeNull();
  });

  test('waking at each predicted time flags every threshold once, for any thresholds', () => {
    const days = fc.uniqueArray(fc.integer({ min: 1, max: 365 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(days, (chosen) => {
        let flagged: number | null = null;
        let nowMs = daysBefore(400);
        const observed: number[] = [];
        for (let wakes = 0; wakes < 20; wakes += 1) {
          const nextMs = nextFlagMs({ expiry: expiryFrom(expiresAt), nowMs, thresholds: chosen, flagged });
          if (nextMs === null) break;
          nowMs = nextMs;
          const due = dueFlag({ expiry: expiryFrom(expiresAt), nowMs, thresholds: chosen, flagged });
          if (due !== null) {
            observed.push(due);
            flagged = due;
          }
        }
        expect(observed).toEqual([...chosen, 0].sort((one, other) => other - one));
      }),
      { numRuns: 200 },
    );
  });

  test('agree with the displayed expiry state', () => {
    expect(reachedThreshold({ expiresAt, nowMs: daysBefore(61), thresholds })).toBeNull();
    expect(expiryState({ expiry: expiryFrom(expiresAt), nowMs: daysBefore(61), thresholds })).toBe('ok');
    expect(expiryState({ expiry: expiryFrom(expiresAt), nowMs: daysBefore(60), thresholds })).toBe(
      'expiring',
    );
  });
});

describe('for any sequence of wakes', () => {
  /** One token and its flags, as stored in rows. */
  function token(expiresAt: string, chosen: readonly number[]) {
    const flags: { days: number; atMs: number }[] = [];
    let held: { flag: number; flaggedAtMs: number } | null = null;
    return {
      flags,
      /** A wake at this time; only the rows remain from before. */
      wake: (nowMs: number): void => {
        const flagged = standingFlag({
          flag: held?.flag ?? null,
          flaggedAtMs: held?.flaggedAtMs ?? null,
          nowMs,
        });
        const due = dueFlag({ expiry: expiryFrom(expiresAt), nowMs, thresholds: chosen, flagged });
        if (due === null) return;
        expect(nowMs).toBeGreaterThanOrEqual(expiryMs(expiresAt) - due * DAY_MS);
        flags.push({ days: due, atMs: nowMs });
        held = { flag: flagged === null ? due : Math.min(flagged, due), flaggedAtMs: nowMs };
        expect(
          dueFlag({ expiry: expiryFrom(expiresAt), nowMs, thresholds: chosen, flagged: held.flag }),
        ).toBeNull();
      },
    };
  }

  const someThresholds = fc.uniqueArray(fc.integer({ min: 1, max: 365 }), { minLength: 1, maxLength: 8 });
  const someDate = fc
    .date({
      min: new Date('2027-01-01T00:00:00Z'),
      max: new Date('2040-12-31T00:00:00Z'),
      noInvalidDate: true,
    })
    .map((date) => date.toISOString().slice(0, 10));
  const hours = (max: number) => fc.integer({ min: 0, max }).map((each) => each * 3_600_000);

  test('each threshold is flagged at most once and expiry always, across restarts and clocks that are set back by hours', () => {
    const steps = fc.array(fc.record({ onMs: hours(24 * 40), backMs: hours(23) }), { maxLength: 60 });
    fc.assert(
      fc.property(someThresholds, someDate, steps, (chosen, expiresAt, moves) => {
        const { flags, wake } = token(expiresAt, chosen);
        let latestMs = expiryMs(expiresAt) - 400 * DAY_MS;
        for (const { onMs, backMs } of moves) {
          latestMs += onMs;
          wake(latestMs);
          wake(latestMs - backMs);
        }
        wake(Math.max(latestMs, expiryMs(expiresAt)));
        const days = flags.map((flag) => flag.days);
        expect(new Set(days).size).toBe(days.length);
        expect(days.at(-1)).toBe(0);
        // never back to a larger threshold
        expect(days).toEqual(days.toSorted((one, other) => other - one));
      }),
      { numRuns: 300 },
    );
  });

  test('sleeping past several thresholds gives one flag, the nearest', () => {
    fc.assert(
      fc.property(
        someThresholds,
        someDate,
        fc.integer({ min: 0, max: 365 }),
        (chosen, expiresAt, leftDays) => {
          const { flags, wake } = token(expiresAt, chosen);
          const nowMs = expiryMs(expiresAt) - leftDays * DAY_MS;
          wake(nowMs);
          wake(nowMs);
          const reached = [...chosen, 0].filter((days) => leftDays <= days);
          expect(flags.map(({ days }) => days)).toEqual(reached.length === 0 ? [] : [Math.min(...reached)]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a clock that was far ahead for a while suppresses no later flag', () => {
    fc.assert(
      fc.property(
        someThresholds,
        someDate,
        fc.integer({ min: 380, max: 900 }),
        (chosen, expiresAt, aheadDays) => {
          const { flags, wake } = token(expiresAt, chosen);
          const startMs = expiryMs(expiresAt) - 370 * DAY_MS;
          wake(startMs + aheadDays * DAY_MS);
          expect(flags.splice(0)).toMatchObject([{ days: 0 }]);
          for (let day = 0; day <= 370; day += 1) wake(startMs + day * DAY_MS);
          expect(flags.map(({ days }) => days)).toEqual([...chosen, 0].sort((one, other) => other - one));
          for (const { days, atMs } of flags) expect(expiryMs(expiresAt) - atMs).toBe(days * DAY_MS);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a replaced token starts without flags, and only its own date counts', () => {
    fc.assert(
      fc.property(
        someThresholds,
        someDate,
        fc.integer({ min: 1, max: 365 }),
        (chosen, expiresAt, longerDays) => {
          const first = token(expiresAt, chosen);
          for (let day = 365; day >= 1; day -= 1) first.wake(expiryMs(expiresAt) - day * DAY_MS);
          const nextDeathMs = expiryMs(expiresAt) + longerDays * DAY_MS;
          const second = token(new Date(nextDeathMs).toISOString().slice(0, 10), chosen);
          for (let ms = expiryMs(expiresAt) - DAY_MS; ms <= nextDeathMs; ms += DAY_MS) second.wake(ms);
          const open = chosen.filter((days) => days <= longerDays + 1);
          const late = chosen.filter((days) => days > longerDays + 1);
          const collapsed = open.includes(longerDays + 1) || late.length === 0 ? [] : [Math.min(...late)];
          expect(second.flags.map(({ days }) => days)).toEqual(
            [...collapsed, ...open, 0].sort((one, other) => other - one),
          );
        },
      ),
      { numRuns: 100 },
    );
  });
});
