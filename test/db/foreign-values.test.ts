import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { admit } from '../../src/domain/foreign-values.ts';
import type { TestDatabase } from '../support/database.ts';
import { createTestDatabase } from '../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

/** Any code units, including NUL, control characters and unpaired surrogates. */
const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  maxLength: 600,
});
const anyNumber = fc.oneof(
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    -62_135_596_800,
    -62_135_596_801,
    253_402_300_799,
    253_402_300_800,
    2 ** 31,
    2 ** 31 - 1,
    -0,
  ),
);

test('PostgreSQL stores every admitted value unchanged', async () => {
  await fc.assert(
    fc.asyncProperty(anyNumber, anyNumber, anyText, anyText, async (seconds, count, name, path) => {
      const admitted = {
        date: admit.date(seconds),
        count: admit.count(count),
        name: admit.name(name),
        path: admit.path(path),
      };
      const [row] = await db.query(
        'select $1::timestamptz as date, $2::int as count, $3::text as name, $4::text as path',
        [admitted.date, admitted.count, admitted.name, admitted.path],
      );
      // PostgreSQL stores microseconds, the driver returns milliseconds
      const date = secondsOf(row?.['date']);
      expect({ ...row, date }).toEqual({ ...admitted, date: secondsOf(admitted.date) });
      expect(Array.from(admitted.name ?? '').length).toBeLessThanOrEqual(256);
    }),
    { numRuns: 300, seed: 20_261_201 },
  );
});

/** The driver returns dates as objects of another realm, or as text. */
function secondsOf(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  const isDate = typeof value === 'object' && 'getTime' in value && typeof value.getTime === 'function';
  return Math.trunc((isDate ? Number((value as Date).getTime()) : Date.parse(`${value as string}`)) / 1_000);
}

test.each([
  [253_402_300_800, null],
  [-62_135_596_801, null],
  [Number.NaN, null],
  [Number.POSITIVE_INFINITY, null],
  [253_402_300_799, '9999-12-31T23:59:59.000Z'],
  [0, '1970-01-01T00:00:00.000Z'],
])('the date %s is admitted as %s', (seconds, expected) => {
  expect(admit.date(seconds)).toBe(expected);
});

test('a name is cut at 256 characters, never within one', () => {
  expect(admit.name('\u{1f600}'.repeat(300))).toBe('\u{1f600}'.repeat(256));
  expect(admit.name('  ')).toBeNull();
});
