import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Config } from '../../src/config/config.ts';
import { readConfig } from '../../src/config/config.ts';
import { openSignOn } from '../../src/main/sign-on.ts';
import type { Answer, TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { Person, TestProvider } from '../support/oidc-provider.ts';
import { CLIENT_ID, CLIENT_SECRET, startProvider } from '../support/oidc-provider.ts';
import { addPerson, pageOf, trySignIn, whoIs } from '../support/people.ts';
import type { TestCa } from '../support/test-ca.ts';
import { createTestCa } from '../support/test-ca.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

const CALLBACK = '/api/v1/auth/oidc/callback';
let ca: TestCa;
let world: TestWorld;
let provider: TestProvider;
let api: TestApi;

/** The configuration, read from the settings of an operator as at start-up. */
function configOf(change: Record<string, string | undefined> = {}): Config {
  const settings = {
    SECU_OIDC_ISSUER: provider.issuer,
    SECU_OIDC_CLIENT_ID: CLIENT_ID,
    SECU_OIDC_CLIENT_SECRET: CLIENT_SECRET,
    SECU_OIDC_ROLE_MAP: 'security=admin,developers=viewer,ops=operator',
  };
  return readConfig({ ...settings, ...change }, { isRoot: false });
}

/** An API whose single sign-on is that of these settings; its address is the one that the provider knows. */
async function apiWith(config: Config): Promise<TestApi> {
  const known = new URL(redirectUri).origin;
  const withRoots = { ...config, http: { ...config.http, publicUrl: known } };
  const network = { ...config.network, caPem: config.network.caPem ?? ca.caPem };
  const signOn = openSignOn({ config: { ...withRoots, network }, log: world.log });
  if (signOn !== null) world.onClose(() => signOn.close());
  return startApi(world, { signOn });
}

/** Registered at the provider. The tests send callbacks to the API under test, whatever its address. */
const redirectUri = `https://secu.example.com${CALLBACK}`;

beforeAll(async () => {
  ca = await createTestCa();
  world = await createTestWorld({ simulator: { recipes: [] } });
  provider = await startProvider({ ca, redirectUri });
  api = await apiWith(configOf());
});

beforeEach(async () => {
  for (const table of ['app_user', 'sign_in_try', 'event']) await world.db.query(`delete from ${table}`);
  Object.assign(provider, { person: alice(), forge: null, failing: null, asked: [] });
});

afterAll(async () => {
  await world.close();
  await provider.close();
  await ca.remove();
});

function alice(change: Record<string, unknown> = {}): Person {
  return { sub: 'alice-1', preferred_username: 'alice', groups: ['developers', 'unknown'], ...change };
}

const cookiesOf = (answer: Answer) =>
  answer.headers.getSetCookie().map((cookie) => `${cookie.split(';')[0]}`);

async function start(at = api, query = ''): Promise<{ answer: Answer; memory: string; location: string }> {
  const answer = await at.call(`GET auth/oidc/start${query}`, { as: null });
  return { answer, memory: `${cookiesOf(answer)[0]}`, location: `${answer.headers.get('Location')}` };
}

/** The browser follows the redirect of the provider. */
function callBack(back: string, memory: string, at = api): Promise<Answer> {
  return at.call(`GET ${CALLBACK}${new URL(back).search}`, { as: null, headers: { Cookie: memory } });
}

async function signOn(at = api): Promise<Answer> {
  const started = await start(at);
  return callBack(await provider.visit(started.location), started.memory, at);
}

function sessionOf(answer: Answer): string {
  return cookiesOf(answer).find((cookie) => cookie.startsWith('secu=')) ?? '';
}

async function people(): Promise<unknown[]> {
  return world.db.query(
    `select username, role, source, issuer, subject, password_hash from app_user
     where username not like 'the-%' order by id`,
  );
}

test('a person whose group has a role is signed in and becomes a user', async () => {
  const answer = await signOn();
  expect([answer.status, answer.headers.get('Location')]).toEqual([302, '/']);
  expect(await whoIs(api, sessionOf(answer))).toEqual([200, 'alice']);
  expect(await people()).toEqual([
    {
      username: 'alice',
      role: 'viewer',
      source: 'oidc',
      issuer: provider.issuer,
      subject: 'alice-1',
      password_hash: null,
    },
  ]);
  const { body } = await api.call('GET events?kind=auth.signed_in,user.created');
  expect(body.items).toMatchObject([
    { kind: 'auth.signed_in', actor: 'user:alice', data: { address: '127.0.0.1' } },
    { kind: 'user.created', actor: 'system', data: { role: 'viewer' } },
  ]);
});

test('the redirect carries a new state, nonce and PKCE challenge and no secret', async () => {
  const [one, two] = [await start(), await start()];
  const query = new URL(one.location).searchParams;
  expect(Object.fromEntries(query)).toEqual({
    client_id: CLIENT_ID,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile email groups',
    state: expect.stringMatching(/^[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  });
  const other = new URL(two.location).searchParams;
  for (const name of ['state', 'nonce', 'code_challenge']) expect(other.get(name)).not.toBe(query.get(name));
  expect(one.answer.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^secu-sign-on=[\w.-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/),
  ]);
  const [, , verifier = ''] = one.memory.split('=')[1]?.split('.') ?? [];
  expect(verifier).toHaveLength(43);
  expect(one.location).not.toContain(verifier);
});

test('single sign-on does not take the role of the last administrator away, and set-up stays closed', async () => {
  provider.person = alice({ groups: ['security'] });
  await signOn();
  await world.db.query(`update app_user set role = 'viewer' where source = 'local'`);
  provider.person = alice();
  expect((await signOn()).status).toBe(302);
  expect(await people()).toMatchObject([{ username: 'alice', role: 'admin' }]);
  const [stored] = await world.db.query<{ data: Record<string, unknown> }>(
    `select data from event where kind = 'user.changed' order by seq desc limit 1`,
  );
  expect(stored?.data).toMatchObject({ role: 'admin', refusedRole: 'viewer' });

  await addPerson(api, { username: 'second', role: 'admin' });
  await signOn();
  expect(await people()).toMatchObject([{ username: 'alice', role: 'viewer' }, { username: 'second' }]);
});

test('a second sign-in is the same user, with the current role', async () => {
  await signOn();
  provider.person = alice({ groups: ['security', 'developers'], preferred_username: 'renamed' });
  expect((await signOn()).status).toBe(302);
  expect(await people()).toMatchObject([{ username: 'alice', role: 'admin' }]);
  const [changed] = (await api.call('GET events?kind=user.changed')).body.items;
  expect(changed).toMatchObject({ actor: 'system', data: { role: 'admin' } });
});

test.each([
  ['whose groups have no role', { groups: ['strangers'] }],
  ['without groups', { groups: undefined }],
  ['whose group differs from a mapped one only in case', { groups: ['Security'] }],
])('a person %s is refused, and no user is created', async (_who, change) => {
  provider.person = alice(change);
  const answer = await signOn();
  expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  expect(sessionOf(answer)).toBe('');
  expect(await people()).toEqual([]);
  expect((await api.call('GET events?kind=auth.sign_in_failed')).body.items).toHaveLength(1);
});

test('single sign-on never takes over a local account of the same name', async () => {
  await addPerson(api, { username: 'Alice', role: 'admin' });
  const answer = await signOn();
  expect(await whoIs(api, sessionOf(answer))).toEqual([200, 'alice-2']);
  expect(await people()).toMatchObject([
    { username: 'Alice', role: 'admin', source: 'local' },
    { username: 'alice-2', role: 'viewer', source: 'oidc' },
  ]);
  expect((await trySignIn(api, { username: 'alice-2', password: 'null null null' })).status).toBe(401);
});

test('two subjects with one name are two users; two concurrent sign-ins of one subject are one', async () => {
  await signOn();
  provider.person = alice({ sub: 'alice-of-sales' });
  const visits = [await start(), await start()];
  const back: string[] = [];
  for (const { location } of visits) back.push(await provider.visit(location));
  const answers = await Promise.all(visits.map(({ memory }, index) => callBack(`${back[index]}`, memory)));
  expect(answers.map(({ status }) => status)).toEqual([302, 302]);
  expect(await people()).toMatchObject([
    { username: 'alice', subject: 'alice-1' },
    { username: 'alice-2', subject: 'alice-of-sales' },
  ]);
});

test('the person is redirected to the requested page, only within the dashboard', async () => {
  const { memory, location } = await start(api, `?next=${encodeURIComponent('/findings?severity=critical')}`);
  const answer = await callBack(await provider.visit(location), memory);
  expect(answer.headers.get('Location')).toBe('/findings?severity=critical');
  for (const next of [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/a\\b',
    '/a b',
    'findings',
  ]) {
    expect((await start(api, `?next=${encodeURIComponent(next)}`)).answer.status).toBe(400);
  }
  const forgedPath = Buffer.from('//evil.example').toString('base64url');
  const again = await start();
  const parts = `${again.memory.split('=')[1]}`.split('.').slice(0, 3);
  const redirected = await callBack(
    await provider.visit(again.location),
    `secu-sign-on=${[...parts, forgedPath].join('.')}`,
  );
  expect(redirected.headers.get('Location')).toBe('/');
});

/** Changes one part of the cookie: state, nonce or verifier. */
function withOther(memory: string, part: number): string {
  const parts = `${memory.split('=')[1]}`.split('.');
  parts[part] = 'x'.repeat(43);
  return `secu-sign-on=${parts.join('.')}`;
}

const FORGED: [string, (visit: { back: string; memory: string }) => { back: string; memory: string }][] = [
  ['without the cookie of this sign-in', ({ back }) => ({ back, memory: 'a=b' })],
  [
    'with the cookie of another browser',
    ({ back }) => ({
      back,
      memory: `secu-sign-on=${['a', 'b', 'c', 'd'].map((part) => part.repeat(43)).join('.')}`,
    }),
  ],
  ['with another state', ({ back, memory }) => ({ back, memory: withOther(memory, 0) })],
  ['with another nonce', ({ back, memory }) => ({ back, memory: withOther(memory, 1) })],
  ['with another verifier', ({ back, memory }) => ({ back, memory: withOther(memory, 2) })],
  ['with another code', ({ back, memory }) => ({ back: back.replace(/code=[^&]+/, 'code=guessed'), memory })],
  ['without a code', ({ back, memory }) => ({ back: back.replace(/code=[^&]+&/, ''), memory })],
  [
    'from another issuer',
    ({ back, memory }) => ({ back: back.replace(/iss=[^&]+/, 'iss=https%3A%2F%2Fevil.example'), memory }),
  ],
  ['without its issuer', ({ back, memory }) => ({ back: back.replace(/&iss=[^&]+/, ''), memory })],
];

test.each(FORGED)('a callback %s is refused', async (_how, forge) => {
  const { memory, location } = await start();
  const forged = forge({ back: await provider.visit(location), memory });
  const answer = await callBack(forged.back, forged.memory);
  expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
  expect(sessionOf(answer)).toBe('');
  expect(await people()).toEqual([]);
});

test('a callback works once, and HEAD does not use it up', async () => {
  const { memory, location } = await start();
  const back = await provider.visit(location);
  const head = await api.call(`HEAD ${CALLBACK}${new URL(back).search}`, { headers: { Cookie: memory } });
  expect([head.status, cookiesOf(head)]).toEqual([405, []]);
  expect((await callBack(back, memory)).status).toBe(302);
  const again = await callBack(back, memory);
  expect([again.status, sessionOf(again)]).toEqual([401, '']);
});

test('a sign-in denied at the provider is refused', async () => {
  provider.person = null;
  const answer = await signOn();
  expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
});

const flipped = (text: string, at: number) =>
  text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);

test.each([
  ['with a wrong signature', (token: string) => flipped(token, token.lastIndexOf('.') + 20)],
  ['with changed content', (token: string) => flipped(token, token.indexOf('.') + 30)],
])('an ID token %s starts no session', async (_how, forge) => {
  provider.forge = forge;
  const answer = await signOn();
  expect([answer.status, sessionOf(answer)]).toEqual([401, '']);
  expect(await people()).toEqual([]);
});

test('an unavailable provider is a 503 without details, and recovers automatically', async () => {
  const late = await apiWith(configOf());
  provider.failing = 502;
  const { answer } = await start(late);
  expect([answer.status, answer.body.code]).toEqual([503, 'sign_on_unavailable']);
  expect(answer.text).not.toContain(provider.issuer);
  provider.failing = null;
  const { memory, location } = await start(late);
  const back = await provider.visit(location);
  provider.failing = 500;
  expect((await callBack(back, memory, late)).status).toBe(503);
  provider.failing = null;
  expect((await signOn(late)).status).toBe(302);
});

test('a provider with an untrusted certificate is refused', async () => {
  const other = await createTestCa();
  const config = configOf();
  const strict = await apiWith({ ...config, network: { ...config.network, caPem: other.caPem } });
  const { answer } = await start(strict);
  expect([answer.status, answer.body.code]).toEqual([503, 'sign_on_unavailable']);
  await other.remove();
});

test('a provider with another issuer than the settings is refused', async () => {
  const { answer } = await start(await apiWith(configOf({ SECU_OIDC_ISSUER: `${provider.issuer}/` })));
  expect(answer.status).toBe(302); // without a path a slash makes no difference
  const elsewhere = await apiWith(configOf({ SECU_OIDC_ISSUER: `${provider.issuer}/elsewhere` }));
  expect((await start(elsewhere)).answer.status).toBe(503);
});

test('groups can be at a path in the ID token; a public client uses PKCE alone', async () => {
  const other = await startProvider({
    ca,
    redirectUri,
    change: {
      conformIdTokenClaims: false,
      claims: { openid: ['sub'], profile: ['preferred_username', 'realm_access'] },
      scopes: ['openid', 'profile', 'email'],
      clients: [{ client_id: CLIENT_ID, token_endpoint_auth_method: 'none', redirect_uris: [redirectUri] }],
    },
  });
  try {
    other.person = alice({ realm_access: { roles: ['ops'] } });
    const config = configOf({
      SECU_OIDC_ISSUER: other.issuer,
      SECU_OIDC_CLIENT_SECRET: undefined,
      SECU_OIDC_ROLE_CLAIM: 'realm_access.roles',
    });
    const at = await apiWith(config);
    const { memory, location } = await start(at);
    expect(new URL(location).searchParams.get('scope')).toBe('openid profile email');
    expect((await callBack(await other.visit(location), memory, at)).status).toBe(302);
    expect(await people()).toMatchObject([{ role: 'operator' }]);
    expect(other.asked).not.toContain('/me');
  } finally {
    await other.close();
  }
});

test('a wrong client secret is refused', async () => {
  const at = await apiWith(configOf({ SECU_OIDC_CLIENT_SECRET: 'another secret' }));
  const answer = await signOn(at);
  expect([answer.status, sessionOf(answer)]).toEqual([401, '']);
});

test('no secret, code or token of a sign-in is logged or answered', async () => {
  const { memory, location } = await start();
  const back = await provider.visit(location);
  const code = `${new URL(back).searchParams.get('code')}`;
  await callBack(back, withOther(memory, 2));
  const lines = world.logged.join('\n');
  expect(lines).toContain('was refused');
  for (const secret of [CLIENT_SECRET, code, ...`${memory.split('=')[1]}`.split('.').slice(0, 3)]) {
    expect(lines).not.toContain(secret);
  }
  expect(api.answers.join('\n')).not.toContain(CLIENT_SECRET);
});

test('a single sign-on session signs out like any other', async () => {
  const cookie = sessionOf(await signOn());
  const password = { current: 'none at all here', password: 'one that is long enough' };
  const headers = pageOf(api, cookie);
  expect((await api.call('POST auth/password', { as: null, json: password, headers })).status).toBe(403);
  expect((await api.call('POST auth/sign-out', { as: null, headers })).status).toBe(204);
  expect(await whoIs(api, cookie)).toEqual([401, undefined]);
});

test('without single sign-on its routes are 404', async () => {
  const without = await startApi(world);
  expect((await start(without)).answer.status).toBe(404);
  expect((await without.call(`GET ${CALLBACK}?code=x`, { as: null })).status).toBe(404);
  expect((await without.call('GET auth/options', { as: null })).body.singleSignOn).toBe(false);
  expect((await api.call('GET auth/options', { as: null })).body.singleSignOn).toBe(true);
});

test('in a browser a refusal redirects to the sign-in page with the code only', async () => {
  provider.person = alice({ groups: ['unknown'] });
  const { memory, location } = await start();
  const back = new URL(await provider.visit(location));
  const answer = await api.call(`GET ${CALLBACK}${back.search}`, {
    as: null,
    headers: { Cookie: memory, Accept: 'text/html,application/xhtml+xml' },
  });
  expect([answer.status, answer.headers.get('Location')]).toEqual([302, '/sign-in?failed=forbidden']);
  expect(sessionOf(answer)).toBe('');
});
