import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RotatableToken } from '../../src/domain/rotation.ts';
import {
  autoRotateMs,
  blockFor,
  dateInDays,
  isPossibleExpiry,
  lastDateBefore,
  lifetimeDays,
  lostRotationText,
  maxDaysBefore,
  nextAutoTryMs,
  rotationBlock,
} from '../../src/domain/rotation.ts';
import { expiryFrom } from '../../src/domain/token-expiry.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = Date.parse('2026-06-01T12:00:00Z');
const GOOD: RotatableToken = {
  verdict: 'active',
  cause: null,
  mayRotate: true,
  expiry: expiryFrom('2026-09-01'),
  inDoubt: false,
};

test.each<[string, Partial<RotatableToken>, string | null]>([
  ['a token that can rotate', {}, null],
  ['a token that never expires', { expiry: expiryFrom(null) }, null],
  ['an open attempt', { inDoubt: true }, 'rotation_in_doubt'],
  ['not verified', { verdict: 'pending' }, 'not_verified'],
  ['revoked', { verdict: 'invalid', cause: 'token_revoked' }, 'token_revoked'],
  ['lost', { verdict: 'invalid', cause: 'rotation_lost' }, 'rotation_lost'],
  ['without the scope', { mayRotate: false }, 'token_scope_missing'],
  ['fine-grained, permission unknown', { mayRotate: null }, 'token_permission_unknown'],
  ['expiry unknown', { expiry: expiryFrom(undefined) }, 'expiry_unknown'],
  ['expired', { expiry: expiryFrom('2026-06-01') }, 'token_expired'],
  ['expires soon', { expiry: expiryFrom('2026-06-03') }, 'expires_within_48_hours'],
  ['in time', { expiry: expiryFrom('2026-06-04') }, null],
])('the rotation block of: %s', (_what, own, block) => {
  expect(rotationBlock({ ...GOOD, ...own }, NOW)).toBe(block);
});

test('in the last 48 hours, force rotates until expiry, automatic rotation until one hour before', () => {
  const token = { ...GOOD, expiry: expiryFrom('2026-06-02') };
  const expiresMs = Date.parse('2026-06-02T00:00:00Z');
  expect(blockFor('asked', token, NOW)).toBe('expires_within_48_hours');
  expect(blockFor('force', token, expiresMs - 1)).toBeNull();
  expect(blockFor('auto', token, expiresMs - HOUR_MS)).toBeNull();
  expect(blockFor('auto', token, expiresMs - HOUR_MS + 1)).toBe('too_late');
  expect(blockFor('force', token, expiresMs)).toBe('token_expired');
  expect(blockFor('force', { ...token, mayRotate: false }, NOW)).toBe('token_scope_missing');
});

test('the new token has the lifetime of the old one, at most a year', () => {
  const life = (createdAt: string | null, expiresAt: string | null) =>
    lifetimeDays({ createdAt, expiry: expiryFrom(expiresAt) });
  expect(life('2026-03-03T18:00:00Z', '2026-06-01')).toBe(90);
  expect(life('2026-05-31T23:59:59Z', '2026-06-01')).toBe(1);
  expect(life('2020-01-01T00:00:00Z', '2026-06-01')).toBe(365);
  expect(life(null, '2026-06-01')).toBe(365);
  expect(life('2026-03-03T18:00:00Z', null)).toBe(365);
  expect(dateInDays(Date.parse('2028-02-28T23:59:59Z'), 1)).toBe('2028-02-29');
});

test('the date limit that GitLab reports is used if it is still in the future', () => {
  expect(lastDateBefore('2026-07-01', NOW)).toBe('2026-06-30');
  expect(lastDateBefore('2026-06-03', NOW)).toBe('2026-06-02');
  expect(lastDateBefore('2026-06-02', NOW)).toBeNull();
});

test('a requested expiry is between tomorrow and 365 days from today', () => {
  const possible = ['2026-06-01', '2026-06-02', '2027-06-01', '2027-06-02'].map((date) =>
    isPossibleExpiry(date, NOW),
  );
  expect(possible).toEqual([false, true, true, false]);
});

describe('automatic rotation', () => {
  const due = (own: Partial<Parameters<typeof autoRotateMs>[0]> = {}) =>
    autoRotateMs({
      expiry: expiryFrom('2026-09-01'),
      createdAt: '2026-03-01T00:00:00Z',
      daysBefore: 14,
      retryMs: null,
      jitter: 0,
      nowMs: NOW,
      ...own,
    });

  test('is due the configured days before expiry, spread over six hours', () => {
    expect(due()).toBe(Date.parse('2026-08-18T00:00:00Z'));
    expect(due({ jitter: 1 })).toBe(Date.parse('2026-08-18T06:00:00Z'));
  });
  test('is never due for a token without expiry, or in the last hour', () => {
    expect(due({ expiry: expiryFrom(null) })).toBeNull();
    expect(due({ expiry: expiryFrom(undefined) })).toBeNull();
    expect(due({ nowMs: Date.parse('2026-08-31T23:00:01Z') })).toBeNull();
    expect(due({ retryMs: Date.parse('2026-08-31T23:00:01Z') })).toBeNull();
  });
  test('waits a day after an attempt that reached GitLab, less after others', () => {
    const atMs = NOW;
    expect(nextAutoTryMs({ atMs, code: 'rotation_refused', sent: true })).toBe(NOW + DAY_MS);
    expect(nextAutoTryMs({ atMs, code: 'token_scope_missing', sent: false })).toBe(NOW + DAY_MS);
    expect(nextAutoTryMs({ atMs, code: 'gitlab_unreachable', sent: false })).toBe(NOW + HOUR_MS);
    expect(nextAutoTryMs({ atMs, code: 'rotation_busy', sent: false })).toBe(NOW + 120_000);
    expect(due({ retryMs: Date.parse('2026-08-20T00:00:00Z') })).toBe(Date.parse('2026-08-20T00:00:00Z'));
  });
  test('never rotates before half of the lifetime has passed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 365 }), fc.integer({ min: 3, max: 60 }), (life, daysBefore) => {
        const createdAt = new Date(NOW).toISOString();
        const expiry = expiryFrom(dateInDays(NOW, life));
        const at = due({ createdAt, expiry, daysBefore });
        const start = Date.parse(`${createdAt.slice(0, 10)}T00:00:00Z`);
        expect(maxDaysBefore(life)).toBeLessThan(Math.max(1.5, life / 2));
        if (life > 2) expect(at).toBeGreaterThan(start + (life * DAY_MS) / 2);
      }),
    );
  });
});

test('the text about a lost rotation names time, token and place, and says that nothing was exposed', () => {
  const text = lostRotationText({
    at: new Date('2026-06-01T12:34:56Z'),
    baseUrl: 'https://gitlab.example.com',
    tokenName: 'secu',
    newTokenId: 58,
    expiresAt: '2026-08-30',
  });
  for (const part of [
    '2026-06-01 12:34 UTC',
    '"secu"',
    'id 58',
    '2026-08-30',
    'https://gitlab.example.com/-/user_settings/personal_access_tokens',
    'have been revoked',
    'expired',
    'Nothing was exposed',
  ])
    expect(text).toContain(part);
});
