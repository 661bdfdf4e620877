import { expect, test } from '@jest/globals';
import { roleOfGroups } from '../../src/domain/user.ts';
import { groupsOf, nameOf } from '../../src/sign-on/claims.ts';

test.each([
  ['a list', { groups: ['a', 'b'] }, 'groups', ['a', 'b']],
  ['one', { groups: 'a' }, 'groups', ['a']],
  ['a path', { realm_access: { roles: ['a'] } }, 'realm_access.roles', ['a']],
  ['a name with dots', { 'https://x.example/roles': ['a'] }, 'https://x.example/roles', ['a']],
  ['only what is text', { groups: ['a', 1, null, { b: 1 }] }, 'groups', ['a']],
  ['none', { groups: [] }, 'groups', []],
  ['no such claim', { roles: ['a'] }, 'groups', null],
  ['null', { groups: null }, 'groups', null],
  ['what every object has', {}, 'constructor.name', null],
  ['a path through text', { a: 'text' }, 'a.length', null],
])('groups are read from %s', (_what, claims, claim, groups) => {
  expect(groupsOf(claims, claim)).toEqual(groups);
});

test('the highest role of several groups counts; a group without a mapping gives no role', () => {
  const roleMap = { security: 'admin', developers: 'viewer', 'ops=eu': 'operator' } as const;
  expect(roleOfGroups({ groups: ['developers', 'security'], roleMap })).toBe('admin');
  expect(roleOfGroups({ groups: ['ops=eu', 'developers'], roleMap })).toBe('operator');
  expect(roleOfGroups({ groups: ['Security', 'constructor', 'toString'], roleMap })).toBeNull();
  expect(roleOfGroups({ groups: [], roleMap })).toBeNull();
});

test.each([
  [{ preferred_username: 'alice', email: 'a@x.example', sub: '1' }, 'alice'],
  [{ preferred_username: ' ', email: 'a@x.example', sub: '1' }, 'a@x.example'],
  [{ name: 'Alice\u0000\u202e  A', sub: '1' }, 'Alice A'],
  [{ preferred_username: { evil: 1 }, sub: '1' }, '1'],
  [{ preferred_username: 'x'.repeat(200), sub: '1' }, 'x'.repeat(64)],
])('a user with the claims %j is named %j', (claims, name) => {
  expect(nameOf(claims)).toBe(name);
});
