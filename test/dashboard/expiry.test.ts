import { expect, test } from '@jest/globals';
import { expiryLabel, lifetimeOf, tokenExpiryLabel } from '../../dashboard/src/pages/integrations/expiry.ts';

const at = (iso: string) => Date.parse(iso);
const expiring = (daysLeft: number, flag: number | null) => ({
  expiresAt: '2026-12-06',
  expiry: { state: 'expiring' as const, daysLeft, flag },
});

test('the reached threshold sets the colour, not the days left', () => {
  const nowMs = at('2026-11-28T10:00:00Z');
  expect(expiryLabel(expiring(3, 14), nowMs)).toEqual({ text: '3 days left', hue: 'warn' });
  expect(expiryLabel(expiring(13, 7), nowMs)).toEqual({ text: '13 days left', hue: 'bad' });
  expect(expiryLabel(expiring(13, null), nowMs).hue).toBe('warn');
});

test('the last day is shown in hours', () => {
  expect(expiryLabel(expiring(1, 1), at('2026-12-05T01:00:00Z')).text).toBe('Expires tomorrow at 00:00 UTC');
  expect(expiryLabel(expiring(1, 1), at('2026-12-05T19:30:00Z')).text).toBe('Expires at 00:00 UTC, in 5 h');
});

test('no expiry, unknown expiry and expired are shown differently', () => {
  const of = (state: 'never' | 'unknown' | 'expired', expiresAt: string | null) =>
    expiryLabel({ expiresAt, expiry: { state, daysLeft: null, flag: null } }, 0).text;
  expect(of('never', null)).toBe('No expiry');
  expect(of('unknown', null)).toBe('Expiry unknown');
  expect(of('expired', '2026-11-20')).toBe('Expired on 2026-11-20');
});

test('the lifetime is counted in whole UTC days', () => {
  const token = { createdAt: '2025-12-06T23:59:00Z', ...expiring(13, 14) };
  expect(lifetimeOf(token)).toEqual({ days: 365, elapsedDays: 352 });
  expect(lifetimeOf({ ...token, createdAt: null })).toBeNull();
  expect(lifetimeOf({ ...token, createdAt: '2026-12-06T00:00:00Z' })).toBeNull();
});

test('a revoked token shows no days left', () => {
  const nowMs = at('2026-11-28T10:00:00Z');
  expect(tokenExpiryLabel(expiring(9, 14), 'token_revoked', nowMs)).toEqual({
    text: 'Token revoked',
    hue: 'bad',
  });
  expect(tokenExpiryLabel(expiring(9, 14), 'account_blocked', nowMs).text).toBe('9 days left');
  expect(tokenExpiryLabel(expiring(9, 14), null, nowMs).text).toBe('9 days left');
});
