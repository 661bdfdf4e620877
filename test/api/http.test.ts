import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createApp, openApiDocument } from '../../src/api/app.ts';
import { openDatabase } from '../../src/db/database.ts';
import { SecuError } from '../../src/domain/errors.ts';
import type { Answer, CallOptions, TestApi } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { TestWorld } from '../support/world.ts';
import { createTestWorld } from '../support/world.ts';

let world: TestWorld;
let api: TestApi;

beforeAll(async () => {
  world = await createTestWorld({ simulator: { recipes: [] } });
  api = await startApi(world);
});

afterAll(async () => {
  await world.close();
});

/** A problem has exactly these fields (and those of its own that a code adds). */
function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
  expect(answer.body).toMatchObject({
    type: `urn:secu:problem:${code}`,
    title: expect.stringMatching(/^.{3,}$/),
    status,
    detail: expect.stringMatching(/^.{3,}$/),
    code,
    requestId: answer.headers.get('X-Request-Id'),
  });
  expect(answer.status).toBe(status);
  expect(answer.body.requestId).toMatch(/^\S{10,}$/);
}

const jsonBody = { headers: { 'Content-Type': 'application/json' } };

const refused: [string, `${string} ${string}`, CallOptions, number, string][] = [
  ['an unknown path', 'GET nowhere', {}, 404, 'not_found'],
  ['an unknown path outside the API', 'GET /nowhere', {}, 404, 'not_found'],
  ['an unknown id', 'GET integrations/int_01JG0000000000000000000000', {}, 404, 'not_found'],
  ['an id of another form', 'GET integrations/42', {}, 404, 'not_found'],
  ['an id that no database can hold', 'GET integrations/a%00b', {}, 404, 'not_found'],
  ['the same for a change', 'DELETE integrations/a%00b', {}, 404, 'not_found'],
  ['the same for a scan', 'POST repositories/a%00b/scan', {}, 404, 'not_found'],
  ['the same for a command', 'POST integrations/a%00b/verify', {}, 404, 'not_found'],
  ['the same for a list below it', 'GET integrations/a%00b/events', {}, 404, 'not_found'],
  [
    'a name that PostgreSQL cannot store',
    'POST api-keys',
    { json: { name: 'a\u0000b', role: 'viewer' } },
    400,
    'invalid_request',
  ],
  ['half a character', 'GET findings/%ED%B2%80', {}, 404, 'not_found'],
  ['a method that the path does not take', 'DELETE overview', {}, 405, 'method_not_allowed'],
  ['a method of nobody', 'PROPFIND integrations', {}, 405, 'method_not_allowed'],
  ['a body that is no JSON', 'POST api-keys', { ...jsonBody, raw: '{"name":' }, 400, 'invalid_request'],
  ['no body where one is needed', 'POST api-keys', {}, 400, 'invalid_request'],
  ['an empty body where one is needed', 'POST api-keys', { ...jsonBody, raw: '' }, 400, 'invalid_request'],
  ['a body of another type', 'POST api-keys', { json: [1] }, 400, 'invalid_request'],
  ['an unknown query', 'GET integrations?statuss=active', {}, 400, 'invalid_request'],
  ['an unknown value of a filter', 'GET integrations?status=happy', {}, 400, 'invalid_request'],
  ['an unknown sort', 'GET integrations?sort=constructor', {}, 400, 'invalid_request'],
  ['a limit of none', 'GET integrations?limit=0', {}, 400, 'invalid_request'],
  ['a limit of too many', 'GET integrations?limit=201', {}, 400, 'invalid_request'],
  ['a limit that is no number', 'GET integrations?limit=many', {}, 400, 'invalid_request'],
  ['a cursor that is none', 'GET integrations?cursor=x', {}, 400, 'invalid_request'],
  ['text that is no JSON', 'POST api-keys', { raw: 'name=x' }, 415, 'unsupported_media_type'],
  [
    'a form',
    'POST api-keys',
    { raw: 'name=x', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
    415,
    'unsupported_media_type',
  ],
  [
    'a body of two megabytes',
    'POST api-keys',
    { json: { name: 'x'.repeat(2 ** 21) } },
    413,
    'payload_too_large',
  ],
  ['nobody', 'GET integrations', { as: null }, 401, 'unauthenticated'],
  [
    'an unknown key',
    'GET integrations',
    { as: null, headers: { Authorization: `Bearer secu_${'x'.repeat(43)}` } },
    401,
    'unauthenticated',
  ],
  [
    'another scheme',
    'GET integrations',
    { as: null, headers: { Authorization: 'Basic YTpi' } },
    401,
    'unauthenticated',
  ],
  ['a role that is too low', 'POST api-keys', { as: 'operator', json: {} }, 403, 'forbidden'],
];

test.each(refused)('%s is answered with a problem: %s', async (_what, request, options, status, code) => {
  expectProblem(await api.call(request, options), status, code);
});

test('a 401 says how to authenticate, a 405 which methods are allowed', async () => {
  const nobody = await api.call('GET overview', { as: null });
  expect(nobody.headers.get('WWW-Authenticate')).toMatch(/^Bearer/);
  const wrong = await api.call('PUT integrations');
  expect(wrong.headers.get('Allow')).toBe('GET, POST');
  const one = await api.call('POST integrations/int_x');
  expect(one.headers.get('Allow')).toBe('DELETE, GET, PATCH');
});

test('the Authorization scheme is case-insensitive', async () => {
  const headers = { Authorization: `bearer ${api.keys.viewer}` };
  expect((await api.call('GET integrations', { as: null, headers })).status).toBe(200);
});

test('an invalid body lists every error with its path', async () => {
  const answer = await api.call('POST integrations', {
    json: { provider: 'github', type: 'git', token: 7, filters: { include: ['ok', ''] }, colour: 'red' },
  });
  expectProblem(answer, 400, 'invalid_request');
  const errors: { path: string; message: string }[] = answer.body.errors;
  expect(errors.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['provider', 'token', 'filters.include.1']),
  );
  expect(errors.every(({ message }) => message.length > 3)).toBe(true);
  expect(answer.text).toContain('colour');
});

test('a chunked body over the limit is refused too', async () => {
  const status = await new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      `${api.url}/api/v1/api-keys`,
      {
        method: 'POST',
        headers: { Authorization: `Bearer ${api.keys.admin}`, 'Content-Type': 'application/json' },
      },
      (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode);
      },
    );
    outgoing.on('error', reject);
    outgoing.write(`{"name":"${'x'.repeat(2 ** 20)}`);
    outgoing.end('x"}');
  });
  expect(status).toBe(413);
});

function withHost(host: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    httpRequest(`${api.url}${path}`, { headers: { Host: host } }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
    })
      .on('error', reject)
      .end();
  });
}

test('a request for another host is refused before anything else', async () => {
  const { status, text } = await withHost('evil.example', '/api/v1/integrations');
  expect(status).toBe(421);
  expect(JSON.parse(text)).toMatchObject({ code: 'misdirected_request', status: 421 });
  const { host } = new URL(api.url);
  expect((await withHost(host.toUpperCase(), '/api/openapi.json')).status).toBe(200);
  expect((await withHost('127.0.0.1:1', '/api/openapi.json')).status).toBe(421);
});

test.each([
  ['a trailing dot', (host: string) => host.replace(':', '.:')],
  ['upper case', (host: string) => host.toUpperCase()],
])('the host may be written with %s', async (_how, spell) => {
  const { host } = new URL(api.url);
  expect((await withHost(spell(host), '/api/openapi.json')).status).toBe(200);
});

test.each([
  ['secu.example.com', 200],
  ['secu.example.com:443', 200],
  ['SECU.example.com.:443', 200],
  ['secu.example.com:8443', 421],
  ['secu.example.com.evil.example', 421],
  ['', 421],
])('behind https://secu.example.com, the host %j is answered with %d', async (host, status) => {
  const settings = {
    ...api.deps.settings,
    hosts: ['secu.example.com'],
    publicUrl: 'https://secu.example.com',
  };
  const app = createApp({ ...api.deps, settings });
  expect((await app.request('/api/openapi.json', { headers: { Host: host } })).status).toBe(status);
});

test.each([
  'a b',
  'user@localhost',
  'localhost/path',
  'localhost?x',
  '[::1',
  'localhost:99999',
  'localhost..',
])('a malformed host is refused: %j', async (host) =>
  expect([400, 421]).toContain((await withHost(host, '/api/openapi.json')).status),
);

test('the OpenAPI document is built once', async () => {
  const first = await api.call('GET /api/openapi.json', { as: null });
  const started = process.cpuUsage();
  for (let n = 0; n < 50; n += 1)
    expect((await api.call('GET /api/openapi.json', { as: null })).text).toBe(first.text);
  expect(process.cpuUsage(started).user).toBeLessThan(50 * 20_000);
});

test('/readyz asks for its checks once a second, however often it is called', async () => {
  let calls = 0;
  const ready = () => {
    calls += 1;
    return Promise.resolve({ database: true, migrations: true, temporal: true, workers: true });
  };
  const app = createApp({ ...api.deps, ready });
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => app.request('/readyz', { headers: { Host: 'x' } })),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(calls).toBe(1);
});

test('health checks accept any host', async () => {
  expect((await withHost('10.1.2.3:8080', '/healthz')).status).toBe(200);
  expect((await withHost('10.1.2.3:8080', '/readyz')).status).toBe(200);
});

test('every answer has a request id: the given one when it is safe, else a new one', async () => {
  const given = await api.call('GET /healthz', { as: null, headers: { 'X-Request-Id': 'trace-1.2:3' } });
  expect(given.headers.get('X-Request-Id')).toBe('trace-1.2:3');
  const bad = await api.call('GET /healthz', { as: null, headers: { 'X-Request-Id': 'a b<script>' } });
  expect(bad.headers.get('X-Request-Id')).toMatch(/^[0-9A-Z]{26}$/);
});

test('answers forbid sniffing, caching and framing', async () => {
  for (const request of ['GET overview', 'GET nowhere', 'GET /healthz'] as const) {
    const { headers } = await api.call(request);
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('X-Frame-Options')).toBe('DENY');
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(headers.get('Access-Control-Allow-Origin')).toBeNull();
  }
});

describe('an internal error', () => {
  const broken = (err: Error) => ({ about: () => Promise.reject(err) });

  test('is a 500 with its code only; the cause is in the log', async () => {
    const other = await startApi(world, broken(new Error('password of the database: hunter2')));
    const answer = await other.call('GET about');
    expectProblem(answer, 500, 'internal');
    expect(answer.text).not.toContain('hunter2');
    expect(answer.text).not.toContain('at ');
    const line = world.logged.find(
      (each) => each.includes(answer.body.requestId) && each.includes('hunter2'),
    );
    expect(line).toBeDefined();
  });

  test('does not show the details of a known code', async () => {
    const err = new SecuError('key_unknown', 'the ring lacks key-17', { details: { keyIds: ['key-17'] } });
    const answer = await (await startApi(world, broken(err))).call('GET about');
    expectProblem(answer, 500, 'key_unknown');
    expect(answer.text).not.toContain('key-17');
  });

  test('is a 503 with Retry-After when the database is unavailable', async () => {
    const unavailable = await openDatabase({ url: 'postgresql://secu:x@127.0.0.1:1/secu', poolMax: 1 });
    world.onClose(() => unavailable.close());
    const other = await startApi(world, { database: unavailable });
    const answer = await other.call('GET integrations');
    expectProblem(answer, 503, 'database_unavailable');
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect((await other.call('GET /healthz', { as: null })).status).toBe(200);
  });
});

const all = { database: true, temporal: true, migrations: true, workers: true };

test.each([
  [{}, 200, 'ready'],
  [{ temporal: false }, 200, 'degraded'],
  [{ workers: false }, 200, 'degraded'],
  [{ database: false }, 503, 'unready'],
  [{ migrations: false }, 503, 'unready'],
])('readyz with %j is %d %s, without any key', async (change, status, word) => {
  const checks = { ...all, ...change };
  const other = await startApi(world, { ready: async () => checks });
  const answer = await other.call('GET /readyz', { as: null });
  expect(answer.status).toBe(status);
  expect(answer.body.status).toBe(word);
  // the dashboard shows these words, so a boolean here would read as "OK"
  expect(answer.body.checks).toEqual(
    Object.fromEntries(Object.entries(checks).map(([name, works]) => [name, works ? 'ok' : 'failed'])),
  );
});

test('the OpenAPI document is public and contains every route', async () => {
  const { status, body } = await api.call('GET /api/openapi.json', { as: null });
  expect(status).toBe(200);
  expect(body).toEqual(JSON.parse(JSON.stringify(openApiDocument(api.app, '0.0.0-test'))));
  const documented = Object.entries<Record<string, unknown>>(body.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const routed = api.app.routes
    .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/v1/'))
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  expect([...new Set(routed)].sort()).toEqual(documented.sort());
  expect(documented.length).toBeGreaterThan(20);
});
