import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createSetupLink } from '../../src/api/auth/setup-link.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { cookieOf, createClock, MINUTE_MS, PASSWORD, trySignIn, whoIs } from '../support/people.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const clock = createClock();
let world: TestWorld;
let api: TestApi;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world, { now: clock.now });
});

beforeEach(async () => {
  for (const table of ['app_user', 'setup_code', 'sign_in_try', 'event'])
    await world.db.query(`delete from ${table}`);
});

afterAll(async () => {
  await world.close();
});

/** What the log shows at start. @returns the code */
async function newCode(): Promise<string> {
  const { publicUrl } = api.deps.settings;
  const link = await createSetupLink({
    database: world.database,
    publicUrl,
    now: clock.now(),
    actor: 'system',
  });
  const { origin, pathname, hash } = new URL(`${link?.url}`);
  expect([origin, pathname]).toEqual([publicUrl, '/setup']);
  return hash.slice(1);
}

function setUp(code: string, change: Record<string, unknown> = {}) {
  const json = { code, username: 'admin', password: PASSWORD, ...change };
  return api.call('POST auth/setup', { as: null, json, headers: { Origin: api.url } });
}

test('the setup code creates the first administrator and signs them in, once', async () => {
  expect((await api.call('GET auth/options', { as: null })).body.setup).toBe(true);
  const code = await newCode();
  const answer = await setUp(code);
  expect(answer.status).toBe(201);
  expect(answer.body).toMatchObject({ username: 'admin', role: 'admin', source: 'local' });
  expect(await whoIs(api, cookieOf(answer))).toEqual([200, 'admin']);
  expect((await trySignIn(api, { username: 'admin' })).status).toBe(200);
  const again = await setUp(code, { username: 'second' });
  expect([again.status, again.body.code]).toEqual([409, 'setup_done']);
  expect((await api.call('GET auth/options', { as: null })).body.setup).toBe(false);
  const { body } = await api.call('GET events?kind=auth.set_up');
  expect(body.items).toMatchObject([{ actor: 'user:admin', data: { address: '127.0.0.1' } }]);
});

test('of two concurrent uses of a code one succeeds', async () => {
  const code = await newCode();
  const answers = await Promise.all(['one', 'two', 'three'].map((username) => setUp(code, { username })));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 401 || status === 409)).toHaveLength(2);
  expect(await world.db.query('select username from app_user')).toHaveLength(1);
});

test('a code is valid for 15 minutes', async () => {
  const code = await newCode();
  clock.pass(15 * MINUTE_MS);
  const late = await setUp(code);
  expect([late.status, late.body.code]).toEqual([401, 'setup_code_invalid']);
  const next = await newCode();
  clock.pass(15 * MINUTE_MS - 1);
  expect((await setUp(next)).status).toBe(201);
});

test('a new code invalidates the previous one, as at a restart', async () => {
  const [first, second] = [await newCode(), await newCode()];
  expect((await setUp(first)).status).toBe(401);
  expect((await setUp(second)).status).toBe(201);
});

test.each([
  ['no code at all', ''],
  ['a code of nobody', 'A'.repeat(22)],
])('%s creates no user', async (_what, code) => {
  await newCode();
  expect([400, 401]).toContain((await setUp(code)).status);
  expect(await world.db.query('select 1 from app_user')).toEqual([]);
});

test('an invalid name or password does not consume the code', async () => {
  const code = await newCode();
  const bad = [
    { password: 'short' },
    { password: 'AdminAdminAdmin' },
    { username: 'a b' },
    { username: '' },
    { role: 'admin' },
  ];
  for (const change of bad) expect((await setUp(code, change)).status).toBe(400);
  expect((await setUp(code)).status).toBe(201);
});

test('only the hash of a code is stored', async () => {
  const code = await newCode();
  const rows = await world.db.query('select t::text from setup_code t union all select t::text from event t');
  expect(rows.length).toBeGreaterThan(1);
  expect(JSON.stringify(rows)).not.toContain(code);
});

test('an admin API key can create a setup link only while there is no administrator', async () => {
  const created = await api.call('POST auth/setup-link');
  expect(created.status).toBe(201);
  expect(created.body).toEqual({
    url: expect.stringMatching(new RegExp(`^${api.url}/setup#[\\w-]{22}$`)),
    expiresAt: new Date(clock.now().getTime() + 15 * MINUTE_MS).toISOString(),
  });
  expect((await setUp(created.body.url.split('#')[1])).status).toBe(201);
  const late = await api.call('POST auth/setup-link');
  expect([late.status, late.body.code]).toEqual([409, 'setup_done']);
});

test('creating an administrator in another way invalidates every code', async () => {
  const code = await newCode();
  await api.call('POST users', { json: { username: 'made', role: 'admin', password: PASSWORD } });
  expect((await setUp(code)).status).toBe(409);
  await world.db.query('delete from app_user');
  expect((await setUp(code)).status).toBe(401);
});

test('another site cannot use the setup route', async () => {
  const code = await newCode();
  const json = { code, username: 'admin', password: PASSWORD };
  const headers = { Origin: 'https://evil.example' };
  expect((await api.call('POST auth/setup', { as: null, json, headers })).status).toBe(403);
});

test('guessing codes is throttled', async () => {
  await newCode();
  const statuses: number[] = [];
  for (let tries = 0; tries < 32; tries += 1) statuses.push((await setUp('A'.repeat(22))).status);
  expect(statuses.slice(0, 31)).toEqual(Array.from({ length: 31 }, () => 401));
  expect(statuses[31]).toBe(429);
});
