import { expect, test } from '@jest/globals';
import { fetchAllItems } from '../../dashboard/src/lists/all-items.ts';
import { utcMidnight } from '../../dashboard/src/pages/settings/api-keys/utc-midnight.ts';
import { userRestrictions } from '../../dashboard/src/pages/settings/users/restrictions.ts';

test('a list is fetched page by page to its end', async () => {
  const cursors: (string | undefined)[] = [];
  const items = await fetchAllItems(async (cursor) => {
    cursors.push(cursor);
    return cursor === undefined ? { items: [1, 2], nextCursor: 'c' } : { items: [3], nextCursor: null };
  });
  expect(items).toEqual([1, 2, 3]);
  expect(cursors).toEqual([undefined, 'c']);
});

test('the last administrator and single sign-on users are protected from changes', () => {
  const admin = { role: 'admin', source: 'local' } as const;
  const viewer = { role: 'viewer', source: 'local' } as const;
  const guest = { role: 'viewer', source: 'oidc' } as const;
  expect(userRestrictions(admin, [admin, viewer])).toEqual({
    role: 'last administrator',
    password: null,
    remove: 'last administrator',
  });
  expect(userRestrictions(admin, [admin, admin])).toEqual({ role: null, password: null, remove: null });
  expect(userRestrictions(guest, [admin, guest])).toEqual({
    role: 'managed by single sign-on',
    password: 'managed by single sign-on',
    remove: null,
  });
});

test('a day becomes midnight UTC, and an empty field stays undefined', () => {
  expect(utcMidnight('2027-02-01')).toBe('2027-02-01T00:00:00Z');
  expect(utcMidnight('')).toBeUndefined();
});
