import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { quietUntilMs } from '../../src/domain/quiet-hours.ts';

const at = (time: string) => Date.parse(`2026-06-01T${time}Z`);
const NIGHT = { fromMinute: 22 * 60, toMinute: 6 * 60 };

test.each([
  ['21:59:59', null],
  ['22:00:00', '2026-06-02T06:00:00.000Z'],
  ['23:30:15', '2026-06-02T06:00:00.000Z'],
  ['05:59:59', '2026-06-01T06:00:00.000Z'],
  ['06:00:00', null],
])('22:00-06:00 at %s ends at %s', (time, end) => {
  const until = quietUntilMs(NIGHT, at(time));
  expect(until === null ? null : new Date(until).toISOString()).toBe(end);
});

test('without quiet hours it is never quiet', () => {
  expect(quietUntilMs(null, at('23:00:00'))).toBeNull();
});

test('the end is after now, within a day, and not quiet itself', () => {
  const minute = fc.integer({ min: 0, max: 1_439 });
  fc.assert(
    fc.property(minute, minute, fc.integer({ min: 0, max: 4e12 }), (fromMinute, toMinute, nowMs) => {
      fc.pre(fromMinute !== toMinute);
      const until = quietUntilMs({ fromMinute, toMinute }, nowMs);
      if (until === null) return;
      expect(until).toBeGreaterThan(nowMs);
      expect(until - nowMs).toBeLessThanOrEqual(86_400_000);
      expect(quietUntilMs({ fromMinute, toMinute }, until)).toBeNull();
    }),
  );
});
