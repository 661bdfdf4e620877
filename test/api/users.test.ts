import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { addPerson, PASSWORD, pageOf, signedIn, trySignIn, whoIs } from '../support/people.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let api: TestApi;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world);
});

beforeEach(async () => {
  for (const table of ['app_user', 'sign_in_try', 'event']) await world.db.query(`delete from ${table}`);
});

afterAll(async () => {
  await world.close();
});

const NEXT = `${PASSWORD} next`;
const add = (json: Record<string, unknown>, headers: Record<string, string> = {}) =>
  api.call('POST users', { json: { password: PASSWORD, role: 'viewer', ...json }, headers });

async function audit(kind: string) {
  return (await api.call(`GET events?kind=${kind}`)).body.items;
}

test('an account is created, listed and shown without its password', async () => {
  const created = await add({ username: 'alice', role: 'operator' });
  expect(created.status).toBe(201);
  const alice = {
    id: expect.stringMatching(/^usr_[0-9A-Z]{26}$/),
    username: 'alice',
    role: 'operator',
    source: 'local',
    createdAt: expect.stringMatching(/Z$/),
    lastSignInAt: null,
  };
  expect(created.body).toEqual(alice);
  expect(created.headers.get('Location')).toBe(`/api/v1/users/${created.body.id}`);
  expect((await api.call('GET users')).body).toEqual({ items: [alice], nextCursor: null });
  await signedIn(api, 'alice');
  const shown = await api.call(`GET users/${created.body.id}`);
  expect(shown.body).toEqual({ ...alice, lastSignInAt: expect.stringMatching(/Z$/) });
  expect(await audit('user.created')).toMatchObject([
    { actor: 'key:the admin', data: { userId: created.body.id, role: 'operator', address: '127.0.0.1' } },
  ]);
});

test.each([
  [{ username: '' }],
  [{ username: 'a b' }],
  [{ username: '-a' }],
  [{ username: 'a\u0007' }],
  [{ username: 'a\u202eb' }],
  [{ username: 'x'.repeat(65) }],
  [{ username: 'x', role: 'calendar' }],
  [{ username: 'x', role: 'owner' }],
  [{ username: 'x', password: 'elevenchars' }],
  [{ username: 'x', password: '            ' }],
  [{ username: 'margarethe', password: 'MargaretheMargarethe' }],
  [{ username: 'x', source: 'oidc' }],
])('%j is 400', async (json) => {
  expect((await add(json)).status).toBe(400);
});

test('names are unique case-insensitively, also for concurrent requests', async () => {
  const [one, two] = await Promise.all([add({ username: 'Zoë' }), add({ username: 'ZOË' })]);
  const statuses = [one, two].map(({ status }) => status);
  expect(statuses.sort((a, b) => a - b)).toEqual([201, 409]);
  expect((await add({ username: 'zoë' })).body.code).toBe('name_taken');
});

test('a repeated idempotency key creates one account', async () => {
  const headers = { 'Idempotency-Key': 'one-alice' };
  const first = await add({ username: 'alice' }, headers);
  const again = await add({ username: 'alice' }, headers);
  expect([again.status, again.body]).toEqual([201, first.body]);
  const other = await add({ username: 'alice', password: NEXT }, headers);
  expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
});

test('a changed role applies to the next request of every session', async () => {
  const id = await addPerson(api, { username: 'bob', role: 'viewer' });
  const headers = pageOf(api, await signedIn(api, 'bob'));
  const status = async () => (await api.call('GET users', { as: null, headers })).status;
  expect(await status()).toBe(403);
  const changed = await api.call(`PATCH users/${id}`, { json: { role: 'admin' } });
  expect([changed.status, changed.body.role]).toEqual([200, 'admin']);
  expect(await status()).toBe(200);
  await addPerson(api, { username: 'boss', role: 'admin' });
  await api.call(`PATCH users/${id}`, { json: { role: 'operator' } });
  expect(await status()).toBe(403);
  const [latest] = await audit('user.changed');
  expect(latest).toMatchObject({ text: '"bob" is operator now; before: admin.', data: { userId: id } });
});

test('a new password ends all sessions of the person, and the old password', async () => {
  const id = await addPerson(api, { username: 'carol' });
  const sessions = [await signedIn(api, 'carol'), await signedIn(api, 'carol')];
  expect((await api.call(`PATCH users/${id}`, { json: { password: 'carolcarolcarol' } })).status).toBe(400);
  expect(await whoIs(api, `${sessions[0]}`)).toEqual([200, 'carol']);
  expect((await api.call(`PATCH users/${id}`, { json: { password: NEXT } })).status).toBe(200);
  for (const cookie of sessions) expect(await whoIs(api, cookie)).toEqual([401, undefined]);
  expect((await trySignIn(api, { username: 'carol' })).status).toBe(401);
  await signedIn(api, 'carol', NEXT);
  expect(await audit('user.password_changed')).toMatchObject([{ actor: 'key:the admin' }]);
});

test('a sign-in in progress while the password changes starts no session', async () => {
  const id = await addPerson(api, { username: 'dave' });
  const slow = await startApi(world, {
    passwords: {
      ...api.deps.passwords,
      async verify(input) {
        const verdict = await api.deps.passwords.verify(input);
        await api.call(`PATCH users/${id}`, { json: { password: NEXT } });
        return verdict;
      },
    },
  });
  expect((await trySignIn(slow, { username: 'dave' })).status).toBe(401);
  expect(await world.db.query('select 1 from app_session where user_id = $1', [id])).toEqual([]);
});

test('a deleted user is gone with all sessions: 204, then 404', async () => {
  const id = await addPerson(api, { username: 'erin' });
  const cookie = await signedIn(api, 'erin');
  expect((await api.call(`DELETE users/${id}`)).status).toBe(204);
  expect((await api.call(`DELETE users/${id}`)).status).toBe(404);
  expect((await api.call(`PATCH users/${id}`, { json: { role: 'admin' } })).status).toBe(404);
  expect(await whoIs(api, cookie)).toEqual([401, undefined]);
  expect((await add({ username: 'erin' })).status).toBe(201);
  expect(await audit('user.removed')).toMatchObject([{ text: '"erin" (viewer) was removed.' }]);
});

test('the last administrator can be neither deleted nor demoted', async () => {
  const id = await addPerson(api, { username: 'frank', role: 'admin' });
  for (const answer of [
    await api.call(`DELETE users/${id}`),
    await api.call(`PATCH users/${id}`, { json: { role: 'operator', password: NEXT } }),
  ]) {
    expect([answer.status, answer.body.code]).toEqual([409, 'last_administrator']);
  }
  await signedIn(api, 'frank');
});

test('two administrators who delete each other concurrently leave one', async () => {
  const ids = [
    await addPerson(api, { username: 'grace', role: 'admin' }),
    await addPerson(api, { username: 'heidi', role: 'admin' }),
  ];
  const answers = await Promise.all(ids.map((id) => api.call(`DELETE users/${id}`)));
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([204, 409]);
  expect(await world.db.query(`select 1 from app_user where role = 'admin'`)).toHaveLength(1);
});

test('role and password of a single sign-on user cannot be changed here; deleting is possible', async () => {
  const person = {
    username: 'sso',
    role: 'viewer',
    source: 'oidc',
    issuer: 'https://idp.example',
    subject: '7',
  } as const;
  const id = await world.database.stores.users.add({ ...person, now: new Date() });
  for (const json of [{ role: 'admin' }, { password: NEXT }]) {
    const answer = await api.call(`PATCH users/${id}`, { json });
    expect([answer.status, answer.body.code]).toEqual([409, 'managed_by_environment']);
  }
  expect((await api.call(`DELETE users/${id}`)).status).toBe(204);
});

test('accounts are listed in pages', async () => {
  for (const username of ['p1', 'p2', 'p3']) await addPerson(api, { username });
  const first = await api.call('GET users?limit=2');
  const second = await api.call(`GET users?limit=2&cursor=${encodeURIComponent(first.body.nextCursor)}`);
  const names = [...first.body.items, ...second.body.items].map(
    ({ username }: { username: string }) => username,
  );
  expect([names, second.body.nextCursor]).toEqual([['p1', 'p2', 'p3'], null]);
});
