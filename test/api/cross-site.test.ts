import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { addPerson, PASSWORD } from '../support/people.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let api: TestApi;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world);
  await addPerson(api, { username: 'alice' });
});

afterAll(async () => {
  await world.close();
});

/** What a browser says of where a request comes from; `OWN` stands for our origin. */
const FROM: [string, Record<string, string>, boolean][] = [
  ['a page of ours', { Origin: 'OWN', 'Sec-Fetch-Site': 'same-origin' }, true],
  ['a page of ours in an older browser', { Origin: 'OWN' }, true],
  ['a page of ours whose browser hides the origin', { 'Sec-Fetch-Site': 'same-origin' }, true],
  ['another site', { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }, false],
  ['another site in an older browser', { Origin: 'https://evil.example' }, false],
  ['another site whose browser hides the origin', { 'Sec-Fetch-Site': 'cross-site' }, false],
  ['a sandboxed frame', { Origin: 'null' }, false],
  ['a host beside ours', { Origin: 'http://evil.127.0.0.1', 'Sec-Fetch-Site': 'same-site' }, false],
  ['another port of this host', { Origin: 'http://127.0.0.1:1', 'Sec-Fetch-Site': 'same-site' }, false],
  ['our host under another scheme', { Origin: 'OWNS' }, false],
  ['our host with something behind it', { Origin: 'OWN.evil.example' }, false],
  ['another site that claims our origin', { Origin: 'OWN', 'Sec-Fetch-Site': 'cross-site' }, false],
  [
    'another site that claims to be ours',
    { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' },
    false,
  ],
];

function headersOf(from: Record<string, string>): Record<string, string> {
  const own = (text: string) =>
    text.replace('OWNS', api.url.replace('http:', 'https:')).replace('OWN', api.url);
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, own(value)]));
}

/** Reaches its handler, and there finds nothing to do. */
const CHANGES = [
  ['POST', 'integrations/none/verify'],
  ['PUT', 'integrations/none/token'],
  ['PATCH', 'integrations/none'],
  ['DELETE', 'api-keys/none'],
] as const;

describe.each(FROM)('from %s', (_from, from, isOurs) => {
  test.each(CHANGES)(`%s by a session is ${isOurs ? 'taken' : 'refused'}`, async (method, path) => {
    const headers = { ...headersOf(from), Cookie: api.cookies.admin, 'Content-Type': 'application/json' };
    const raw = method === 'DELETE' ? {} : { raw: '{"token":"x"}' };
    const answer = await api.call(`${method} ${path}`, { as: null, headers, ...raw });
    if (isOurs) expect([400, 404]).toContain(answer.status);
    else expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  });

  test('accepts an API key: browsers do not send one automatically', async () => {
    const answer = await api.call('DELETE api-keys/none', { headers: headersOf(from) });
    expect(answer.status).toBe(404);
  });

  test(`sign-in is ${isOurs ? 'possible' : 'refused'}`, async () => {
    const json = { username: 'alice', password: PASSWORD };
    const answer = await api.call('POST auth/sign-in', { as: null, json, headers: headersOf(from) });
    expect(answer.status).toBe(isOurs ? 200 : 403);
    expect(answer.headers.getSetCookie()).toHaveLength(isOurs ? 1 : 0);
  });

  test('reading with a session works; the browser hides the answer from other sites', async () => {
    const headers = { ...headersOf(from), Cookie: api.cookies.admin };
    const answer = await api.call('GET overview', { as: null, headers });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });
});

test('without origin headers, a session may change nothing, but a program may sign in', async () => {
  const headers = { Cookie: api.cookies.admin };
  expect((await api.call('DELETE api-keys/none', { as: null, headers })).status).toBe(403);
  const json = { username: 'alice', password: PASSWORD };
  expect((await api.call('POST auth/sign-in', { as: null, json })).status).toBe(200);
});

test.each(['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain', ''])(
  'a session request with the content type %j of a form is 415',
  async (type) => {
    for (const path of ['POST api-keys', 'POST auth/sign-out', 'POST auth/sign-in'] as const) {
      const headers = { Cookie: api.cookies.admin, Origin: api.url, 'Content-Type': type };
      const answer = await api.call(path, { as: null, headers, raw: '{"name":"x","role":"viewer"}' });
      expect([path, answer.status]).toEqual([path, 415]);
    }
  },
);

test('CORS is not granted to any site', async () => {
  const headers = {
    Origin: 'https://evil.example',
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'content-type',
  };
  const answer = await api.call('OPTIONS api-keys', { as: null, headers });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  const allowed = [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'));
  expect(allowed).toEqual([]);
});

test.each([
  ['GET auth/me', 200],
  ['GET nowhere', 404],
  ['GET /healthz', 200],
  ['GET /nowhere', 404],
  ['GET /api/docs', 200],
  ['GET /api/openapi.json', 200],
  ['POST auth/sign-in', 400],
] as const)('%s is answered with headers that forbid content sniffing', async (request, status) => {
  const answer = await api.call(request, request.startsWith('POST') ? { json: {} } : {});
  expect(answer.status).toBe(status);
  const { headers } = answer;
  const policy = headers.get('Content-Security-Policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe-|\*|https?:/);
  expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
  expect(headers.get('X-Frame-Options')).toBe('DENY');
  expect(headers.get('Referrer-Policy')).toBe('no-referrer');
  expect(headers.get('Cross-Origin-Opener-Policy')).toBe('same-origin');
  expect(headers.get('Cross-Origin-Resource-Policy')).toBe('same-origin');
  expect(headers.get('Cache-Control')).toBe(request === 'GET /api/docs' ? 'no-cache' : 'no-store');
});
