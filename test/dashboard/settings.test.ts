import { expect, test } from '@jest/globals';
import { fetchAllItems } from '../../dashboard/src/lists/all-items.ts';
import { utcMidnight } from '../../dashboard/src/pages/settings/api-keys/utc-midnight.ts';
import { userRestrictions } from '../../dashboard/src/pages/settings/users/restrictions.ts';

test('a list is read to its end, page by page', async () => {
  const asked: (string | undefined)[] = [];
  const items = await fetchAllItems(async (cursor) => {
    asked.push(cursor);
    return cursor === undefined ? { items: [1, 2], nextCursor: 'c' } : { items: [3], nextCursor: null };
  });
  expect(items).toEqual([1, 2, 3]);
  expect(asked).toEqual([undefined, 'c']);
});

test('the last administrator stays, and single sign-on rules over its own people', () => {
  const admin = { role: 'admin', source: 'local' } as const;
  const viewer = { role: 'viewer', source: 'local' } as const;
  const guest = { role: 'viewer', source: 'oidc' } as const;
  expect(userRestrictions(admin, [admin, viewer])).toEqual({
    role: 'the last administrator',
    password: null,
    remove: 'the last administrator',
  });
  expect(userRestrictions(admin, [admin, admin])).toEqual({ role: null, password: null, remove: null });
  expect(userRestrictions(guest, [admin, guest])).toEqual({
    role: 'comes by single sign-on',
    password: 'comes by single sign-on',
    remove: null,
  });
});

test('a day begins at 00:00 UTC, and an empty field is no day', () => {
  expect(utcMidnight('2027-02-01')).toBe('2027-02-01T00:00:00Z');
  expect(utcMidnight('')).toBeUndefined();
});
