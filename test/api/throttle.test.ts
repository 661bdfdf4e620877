import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ADDRESS_THROTTLE } from '../../src/domain/user.ts';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { addPerson, createClock, HOUR_MS, MINUTE_MS, PASSWORD, trySignIn } from '../support/people.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const WRONG = 'wrong wrong wrong';
const clock = createClock();
let world: TestWorld;
let api: TestApi;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  // the tests' own address stands for a proxy, so that a test can come from anywhere
  api = await startApi(world, { now: clock.now, settings: { trustedProxies: ['127.0.0.1/32'] } });
});

beforeEach(async () => {
  await world.db.query('delete from app_user');
  await world.db.query('delete from sign_in_try');
  for (const username of ['alice', 'bob']) await addPerson(api, { username });
});

afterAll(async () => {
  await world.close();
});

interface Try {
  username?: string;
  password?: string;
  from?: string;
  at?: TestApi;
}

async function attempt({ username = 'alice', password = WRONG, from = '192.0.2.1', at = api }: Try = {}) {
  const headers = { 'X-Forwarded-For': from };
  const { status, headers: answered, body } = await trySignIn(at, { username, password, headers });
  return { status, retryAfter: answered.get('Retry-After'), code: body.code, body };
}

async function fail(times: number, given: Try = {}): Promise<void> {
  for (let tries = 0; tries < times; tries += 1) {
    expect(await attempt(given)).toMatchObject({ status: 401, retryAfter: null });
  }
}

/** Tries as fast as it is let, for this long. @returns how many were looked at */
async function guess(forMs: number, next: (count: number) => Try): Promise<number> {
  const endMs = clock.now().getTime() + forMs;
  let looked = 0;
  while (clock.now().getTime() < endMs) {
    const { status, retryAfter } = await attempt(next(looked));
    if (status === 401) looked += 1;
    else clock.pass(Number(retryAfter) * 1_000);
  }
  return looked;
}

test('after five wrong passwords each further one doubles the pause in Retry-After', async () => {
  await fail(6);
  const pauses: string[] = [];
  for (let round = 0; round < 12; round += 1) {
    const { status, code, retryAfter, body } = await attempt();
    expect([status, code, String(body.retryAfterSeconds)]).toEqual([429, 'too_many_requests', retryAfter]);
    pauses.push(`${retryAfter}`);
    clock.pass(Number(retryAfter) * 1_000);
    await fail(1);
  }
  expect(pauses.map(Number)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
});

test('during a pause even the right password is refused; afterwards it resets the count', async () => {
  await fail(6);
  expect(await attempt({ password: PASSWORD })).toMatchObject({ status: 429 });
  clock.pass(1_000);
  expect(await attempt({ password: PASSWORD })).toMatchObject({ status: 200 });
  await fail(5);
});

test('the pause applies to the account: from any address, in any case of the name, in any API process', async () => {
  await fail(6);
  const other = await startApi(world, { now: clock.now, settings: { trustedProxies: ['127.0.0.1/32'] } });
  expect(await attempt({ username: 'ALICE', from: '198.51.100.7', at: other })).toMatchObject({
    status: 429,
  });
  expect(await attempt({ username: 'bob' })).toMatchObject({ status: 401 });
});

test('unknown user names are throttled like known ones', async () => {
  await fail(6, { username: 'nobody' });
  expect(await attempt({ username: 'nobody' })).toMatchObject({ status: 429, retryAfter: '1' });
});

test('a hundred concurrent attempts count as a hundred', async () => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => attempt({ from: `198.51.100.${index}` })),
  );
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(6);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(94);
});

test('one account allows about a hundred guesses a day, from any number of addresses', async () => {
  const looked = await guess(24 * HOUR_MS, (count) => ({ from: `198.51.${count % 200}.${count % 250}` }));
  expect(looked).toBeGreaterThan(50);
  expect(looked).toBeLessThan(125);
});

test('one address that tries many names is throttled, others are not', async () => {
  for (let count = 0; count <= ADDRESS_THROTTLE.freeAttempts; count += 1)
    await fail(1, { username: `name-${count}` });
  expect(await attempt({ username: 'bob' })).toMatchObject({ status: 429 });
  expect(await attempt({ username: 'bob', from: '192.0.2.2' })).toMatchObject({ status: 401 });
});

test('an IPv6 address is counted by its /64 network', async () => {
  for (let count = 0; count <= ADDRESS_THROTTLE.freeAttempts; count += 1) {
    await fail(1, { username: `name-${count}`, from: `2001:db8:1:2::${count}` });
  }
  expect(await attempt({ username: 'bob', from: '2001:db8:1:2:ffff::1' })).toMatchObject({ status: 429 });
  expect(await attempt({ username: 'bob', from: '2001:db8:1:3::1' })).toMatchObject({ status: 401 });
});

test('successful sign-ins behind one address are not throttled', async () => {
  for (let round = 0; round < 2 * ADDRESS_THROTTLE.freeAttempts; round += 1) {
    expect(await attempt({ username: 'bob', password: PASSWORD })).toMatchObject({ status: 200 });
  }
});

test('without a trusted proxy the connection address counts', async () => {
  const plain = await startApi(world, { now: clock.now });
  for (let count = 0; count <= ADDRESS_THROTTLE.freeAttempts; count += 1) {
    await fail(1, { username: `name-${count}`, from: `192.0.2.${count}`, at: plain });
  }
  expect(await attempt({ username: 'bob', from: '203.0.113.9', at: plain })).toMatchObject({ status: 429 });
});

test('a new password from an administrator ends the pause', async () => {
  await fail(6);
  const { body } = await api.call('GET users?limit=200');
  const { id } = body.items.find((user: { username: string }) => user.username === 'alice');
  const password = `${PASSWORD} again`;
  expect((await api.call(`PATCH users/${id}`, { json: { password } })).status).toBe(200);
  expect(await attempt({ password })).toMatchObject({ status: 200 });
});

test('attempts expire after a day and are deleted', async () => {
  await fail(6);
  clock.pass(24 * HOUR_MS + MINUTE_MS);
  await fail(5);
  clock.pass(24 * HOUR_MS + MINUTE_MS);
  await world.database.stores.signInTries.removeOlderThan(new Date(clock.now().getTime() - 24 * HOUR_MS));
  expect(await world.db.query('select 1 from sign_in_try')).toEqual([]);
});
