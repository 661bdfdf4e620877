import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { awaitUntil } from '../../harness/await-until.ts';
import { createPasswords } from '../../src/vault/passwords.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { EventStream } from '../support/event-stream.ts';
import { openStream } from '../support/event-stream.ts';
import {
  addPerson,
  cookieOf,
  createClock,
  HOUR_MS,
  MINUTE_MS,
  PASSWORD,
  pageOf,
  signedIn,
  trySignIn,
  whoIs,
} from '../support/people.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const clock = createClock();
let world: TestWorld;
let api: TestApi;
const open: EventStream[] = [];

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world, { now: clock.now });
  await addPerson(api, { username: 'bob' });
});

afterEach(async () => {
  for (const stream of open.splice(0)) await stream.close();
});

afterAll(async () => {
  await world.close();
});

async function watch(cookie: string): Promise<EventStream> {
  const stream = await openStream({ url: `${api.url}/api/v1/events/stream`, headers: { Cookie: cookie } });
  open.push(stream);
  return stream;
}

async function auditOf(kind: string, count = 1) {
  const { body } = await api.call(`GET events?kind=${kind}&limit=${count}`);
  return body.items;
}

test('the right user name and password sign in, with the user’s role', async () => {
  const id = await addPerson(api, { username: 'Alice', role: 'operator' });
  const answer = await trySignIn(api, { username: ' alice ' });
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    kind: 'user',
    id,
    name: 'Alice',
    username: 'Alice',
    role: 'operator',
    source: 'local',
    session: {
      createdAt: clock.now().toISOString(),
      expiresAt: new Date(clock.now().getTime() + 12 * HOUR_MS).toISOString(),
      idleExpiresAt: new Date(clock.now().getTime() + 30 * MINUTE_MS).toISOString(),
    },
  });
  const me = await api.call('GET auth/me', { as: null, headers: { Cookie: cookieOf(answer) } });
  expect(me.body).toEqual(answer.body);
});

test('an API key can read its own principal', async () => {
  expect((await api.call('GET auth/me', { as: 'viewer' })).body).toMatchObject({
    kind: 'key',
    name: 'the viewer',
    username: null,
    role: 'viewer',
    session: null,
  });
});

test('the cookie is HttpOnly, SameSite and, over https, bound to the host', async () => {
  await addPerson(api, { username: 'cookie' });
  const [plain] = (await trySignIn(api, { username: 'cookie' })).headers.getSetCookie();
  expect(plain).toMatch(/^secu=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  const publicUrl = 'https://secu.example.com';
  const secure = await startApi(world, {
    now: clock.now,
    settings: { publicUrl, hosts: ['secu.example.com'] },
  });
  const answer = await secure.app.fetch(
    new Request(`${publicUrl}/api/v1/auth/sign-in`, {
      method: 'POST',
      headers: { Host: 'secu.example.com', Origin: publicUrl, 'Content-Type': 'application/json' },
      body: JSON.stringify({ username: 'cookie', password: PASSWORD }),
    }),
  );
  const [cookie] = answer.headers.getSetCookie();
  expect(cookie).toMatch(
    /^__Host-secu=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  );
  expect(answer.headers.get('Strict-Transport-Security')).toBe('max-age=31536000');
});

test.each([
  ['a wrong password', { username: 'bob', password: `${PASSWORD}!` }],
  ['an unknown name', { username: 'nobody-at-all' }],
  ['an SQL injection in the name', { username: `bob' or '1'='1` }],
  ['an empty name', { username: '' }],
])('%s is a 401 that does not reveal what was wrong', async (_what, given) => {
  const answer = await trySignIn(api, given);
  expect(answer.status).toBe(401);
  expect(answer.body).toMatchObject({
    code: 'unauthenticated',
    detail: 'the user name or password is wrong',
  });
  expect(answer.headers.getSetCookie()).toEqual([]);
});

test.each([
  [{}],
  [{ username: 'bob' }],
  [{ username: 'bob', password: '' }],
  [{ username: 'bob', password: 'x'.repeat(2_000) }],
  [{ username: 'bob', password: ['x'] }],
  [{ username: 'bob', password: PASSWORD, remember: true }],
])('%j is 400', async (json) => {
  expect((await api.call('POST auth/sign-in', { as: null, json })).status).toBe(400);
});

test('a single sign-on account cannot sign in with a password', async () => {
  const person = {
    username: 'sso',
    role: 'admin',
    source: 'oidc',
    issuer: 'https://idp.example',
    subject: '1',
  } as const;
  await world.database.stores.users.add({ ...person, now: clock.now() });
  expect((await trySignIn(api, { username: 'sso', password: 'null' })).status).toBe(401);
});

test('sign-in always starts a new session and ends the previous one', async () => {
  await addPerson(api, { username: 'carol' });
  const planted = `secu=${'a'.repeat(43)}`;
  const first = cookieOf(await trySignIn(api, { username: 'carol', headers: { Cookie: planted } }));
  expect(first).not.toBe(planted);
  expect(await whoIs(api, planted)).toEqual([401, undefined]);
  const second = cookieOf(await trySignIn(api, { username: 'carol', headers: { Cookie: first } }));
  expect(second).not.toBe(first);
  expect(await whoIs(api, first)).toEqual([401, undefined]);
  expect(await whoIs(api, second)).toEqual([200, 'carol']);
});

test('a session ends after 30 idle minutes', async () => {
  await addPerson(api, { username: 'idle' });
  const cookie = await signedIn(api, 'idle');
  for (let uses = 0; uses < 3; uses += 1) {
    clock.pass(29 * MINUTE_MS);
    expect(await whoIs(api, cookie)).toEqual([200, 'idle']);
  }
  clock.pass(30 * MINUTE_MS);
  expect(await whoIs(api, cookie)).toEqual([401, undefined]);
});

test('a session ends after 12 hours in any case', async () => {
  await addPerson(api, { username: 'busy' });
  const cookie = await signedIn(api, 'busy');
  for (let passed = 0; passed < 12 * 60 - 20; passed += 20) {
    clock.pass(20 * MINUTE_MS);
    expect(await whoIs(api, cookie)).toEqual([200, 'busy']);
  }
  clock.pass(20 * MINUTE_MS);
  expect(await whoIs(api, cookie)).toEqual([401, undefined]);
});

test('expired sessions are deleted from the database', async () => {
  await addPerson(api, { username: 'leaving' });
  const cookie = await signedIn(api, 'leaving');
  const { sessions } = world.database.stores;
  await sessions.removeEnded(clock.now());
  expect(await whoIs(api, cookie)).toEqual([200, 'leaving']);
  clock.pass(31 * MINUTE_MS);
  expect(await sessions.removeEnded(clock.now())).toBeGreaterThan(0);
  expect(await world.db.query('select 1 from app_session')).toEqual([]);
});

test('signing out ends this session only', async () => {
  await addPerson(api, { username: 'dave' });
  const [here, there] = [await signedIn(api, 'dave'), await signedIn(api, 'dave')];
  const answer = await api.call('POST auth/sign-out', { as: null, headers: pageOf(api, here) });
  expect(answer.status).toBe(204);
  expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(/^secu=; Max-Age=0; Path=\//)]);
  expect(await whoIs(api, here)).toEqual([401, undefined]);
  expect(await whoIs(api, there)).toEqual([200, 'dave']);
});

test('signing out everywhere ends all sessions of this person only', async () => {
  await addPerson(api, { username: 'erin' });
  const mine = [await signedIn(api, 'erin'), await signedIn(api, 'erin')];
  const other = await signedIn(api, 'dave');
  const headers = pageOf(api, `${mine[0]}`);
  await api.call('POST auth/sign-out', { as: null, json: { everywhere: true }, headers });
  for (const cookie of mine) expect(await whoIs(api, cookie)).toEqual([401, undefined]);
  expect(await whoIs(api, other)).toEqual([200, 'dave']);
});

test('an API key cannot sign out', async () => {
  const answer = await api.call('POST auth/sign-out', { as: 'admin' });
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
});

test('only hashes of passwords and sessions are stored, and no log or answer contains either', async () => {
  const password = ['Canary', 'of', 'the', 'mine', '77'].join('-');
  await addPerson(api, { username: 'frank', password });
  const cookie = await signedIn(api, 'frank', password);
  await trySignIn(api, { username: password, password: 'in the wrong field' });
  const token = cookie.slice('secu='.length);
  const tables = ['app_user', 'app_session', 'sign_in_try', 'event', 'idempotency_key'];
  const rows = await Promise.all(
    tables.map((table) => world.db.query(`select t::text as row from ${table} t`)),
  );
  for (const secret of [password, token]) {
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(world.logged.join('\n')).not.toContain(secret);
  }
  expect(api.answers.join('\n')).not.toContain(password);
});

test('a password hash with outdated cost is replaced at sign-in', async () => {
  const id = await addPerson(api, { username: 'grace' });
  const hashOf = async () =>
    (
      await world.db.query<{ hash: string }>('select password_hash as hash from app_user where id = $1', [id])
    )[0]?.hash;
  const before = await hashOf();
  const withHigherCost = await startApi(world, {
    passwords: createPasswords({ cost: { logN: 5, r: 8, p: 1 } }),
    now: clock.now,
  });
  await trySignIn(withHigherCost, { username: 'grace', password: 'wrong wrong wrong' });
  expect(await hashOf()).toBe(before);
  await signedIn(withHigherCost, 'grace');
  expect(await hashOf()).toMatch(/^\$scrypt\$ln=5,r=8,p=1\$/);
  await signedIn(withHigherCost, 'grace');
});

test('changing one’s own password requires it, ends other sessions and replaces this cookie', async () => {
  await addPerson(api, { username: 'heidi' });
  const [here, there] = [await signedIn(api, 'heidi'), await signedIn(api, 'heidi')];
  const change = (json: unknown) =>
    api.call('POST auth/password', { as: null, json, headers: pageOf(api, here) });
  const next = `${PASSWORD} and more`;
  expect((await change({ current: 'not this one at all', password: next })).status).toBe(400);
  const weak = await change({ current: PASSWORD, password: 'too short' });
  expect(weak.body.errors).toEqual([{ path: 'password', message: 'has fewer than 12 characters' }]);
  expect(await whoIs(api, there)).toEqual([200, 'heidi']);
  const changed = await change({ current: PASSWORD, password: next });
  expect([changed.status, changed.body.username]).toEqual([200, 'heidi']);
  expect(await whoIs(api, cookieOf(changed))).toEqual([200, 'heidi']);
  expect(await whoIs(api, here)).toEqual([401, undefined]);
  expect(await whoIs(api, there)).toEqual([401, undefined]);
  expect((await trySignIn(api, { username: 'heidi' })).status).toBe(401);
  await signedIn(api, 'heidi', next);
});

test('sign-in, failed sign-in and sign-out are audit events with actor, address and request id', async () => {
  const userId = await addPerson(api, { username: 'ivan' });
  const good = await trySignIn(api, { username: 'ivan' });
  const facts = (answer: typeof good) => ({
    requestId: answer.headers.get('X-Request-Id'),
    address: '127.0.0.1',
  });
  expect(await auditOf('auth.signed_in')).toMatchObject([
    { actor: 'user:ivan', data: { userId, ...facts(good) }, text: '"ivan" signed in.' },
  ]);
  const bad = await trySignIn(api, { username: 'ivan', password: 'wrong wrong wrong' });
  expect(await auditOf('auth.sign_in_failed')).toMatchObject([
    { actor: 'nobody', data: { userId, ...facts(bad) } },
  ]);
  const out = await api.call('POST auth/sign-out', { as: null, headers: pageOf(api, cookieOf(good)) });
  expect(await auditOf('auth.signed_out')).toMatchObject([
    { actor: 'user:ivan', data: { userId, ...facts(out) } },
  ]);
  expect((await api.call('GET events?kind=auth.signed_in', { as: 'operator' })).body.items).toEqual([]);
});

test('events of a person contain their name', async () => {
  await addPerson(api, { username: 'judy', role: 'admin' });
  const cookie = await signedIn(api, 'judy');
  const json = { name: 'made by judy', role: 'viewer' };
  const created = await api.call('POST api-keys', { as: null, json, headers: pageOf(api, cookie) });
  expect(created.status).toBe(201);
  expect(await auditOf('api_key.created')).toMatchObject([
    { actor: 'user:judy', data: { address: '127.0.0.1', requestId: created.headers.get('X-Request-Id') } },
  ]);
});

test('a stream of events ends with its session', async () => {
  await addPerson(api, { username: 'ken' });
  const cookie = await signedIn(api, 'ken');
  const stream = await watch(cookie);
  expect(stream.status).toBe(200);
  await api.call('POST auth/sign-out', { as: null, headers: pageOf(api, cookie) });
  await awaitUntil(() => stream.ended, { timeoutMs: 13_000 });
});

test('the stream of an administrator ends when they lose the role', async () => {
  const id = await addPerson(api, { username: 'lena', role: 'admin' });
  const stream = await watch(await signedIn(api, 'lena'));
  await api.call(`PATCH users/${id}`, { json: { role: 'viewer' } });
  await awaitUntil(() => stream.ended, { timeoutMs: 13_000 });
  expect(stream.events.filter(({ kind }) => kind === 'user.changed')).toEqual([]);
});

test('two session cookies are treated as none', async () => {
  await addPerson(api, { username: 'mia' });
  const cookie = await signedIn(api, 'mia');
  expect(await whoIs(api, `${cookie}; secu=${'b'.repeat(43)}`)).toEqual([401, undefined]);
  expect(await whoIs(api, `other=1; ${cookie}; secu-x=2`)).toEqual([200, 'mia']);
});

test('an invalid API key is refused even with a valid cookie', async () => {
  const cookie = await signedIn(api, 'mia');
  const headers = { Cookie: cookie, Authorization: `Bearer secu_${'x'.repeat(43)}` };
  expect((await api.call('GET auth/me', { as: null, headers })).status).toBe(401);
});

test('the sign-in options are public', async () => {
  const { status, body } = await api.call('GET auth/options', { as: null });
  expect([status, body]).toEqual([200, { setup: false, singleSignOn: false }]);
});
