import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import { awaitUntil } from '../../harness/await-until.ts';
import type { FaultAnswer } from '../../simulator/index.ts';
import { clientEnvironment, cloneUrl, git } from './scan.ts';
import type { Started } from './start.ts';
import { call, startSimulator } from './start.ts';

const LIST = '/api/v4/projects';
const SELF = '/api/v4/personal_access_tokens/self';

let started: Started;
let token: string;
beforeAll(async () => {
  started = await startSimulator();
  token = started.simulator.control.createToken({ scopes: ['api'] }).token;
});
beforeEach(() => {
  started.simulator.control.faults.clear();
});
afterAll(async () => {
  expect(started.simulator.control.failures()).toEqual([]);
  await started.stop();
});

const control = () => started.simulator.control;
const list = () => call({ simulator: started.simulator, path: LIST, token });
const address = () => cloneUrl({ url: started.simulator.url, path: 'acme/shop', token });
const plan = (answer: FaultAnswer, match = {}) =>
  control().faults.add({ match: { path: LIST, ...match }, answer });
const cloneError = async (name: string) =>
  z
    .object({ stderr: z.string() })
    .parse(
      await git({ home: started.home, args: ['clone', '--bare', address(), join(started.home, name)] }).catch(
        (error: unknown) => error,
      ),
    );

test.each<[FaultAnswer, number, RegExp]>([
  [{ kind: 'reply', status: 500, body: { message: '500 Internal Server Error' } }, 500, /^\{"message"/],
  [{ kind: 'case', id: 'cloudflare_challenge' }, 403, /Just a moment/],
  [{ kind: 'html', status: 200, title: 'Sign in' }, 200, /<h1>Sign in/],
  [{ kind: 'html', status: 502 }, 502, /not responding/],
  [{ kind: 'rate_limit', limiter: 'rack_attack', retryAfterSeconds: 7 }, 429, /^Retry later\n$/],
  [{ kind: 'rate_limit', limiter: 'application', retryAfterSeconds: null }, 429, /"message":\{"error"/],
  [{ kind: 'redirect', location: 'https://login.example.com/' }, 302, /^$/],
])('%j is answered as planned', async (answer, status, body) => {
  plan(answer);
  const given = await list();
  expect(given.status).toBe(status);
  expect(given.text).toMatch(body);
  const seconds = answer.kind === 'rate_limit' ? answer.retryAfterSeconds : null;
  expect(given.headers.get('retry-after')).toBe(seconds === null ? null : String(seconds));
});

test('a fault affects only the nth request, or a number of requests from it on', async () => {
  const third = plan({ kind: 'html', status: 502 }, { nth: 3 });
  const statuses = async () => [
    (await list()).status,
    (await list()).status,
    (await list()).status,
    (await list()).status,
  ];
  expect(await statuses()).toEqual([200, 200, 502, 200]);
  expect(third.hits()).toBe(1);
  third.remove();
  plan({ kind: 'html', status: 502 }, { nth: 2, times: 2 });
  expect(await statuses()).toEqual([200, 502, 502, 200]);
});

test('a pattern also matches the query, and a method restricts it', async () => {
  control().faults.add({
    match: { method: 'POST', path: /projects\?.*id_after=15/ },
    answer: { kind: 'html', status: 502 },
  });
  const page = () =>
    call({ simulator: started.simulator, path: `${LIST}?pagination=keyset&order_by=id&id_after=15`, token });
  expect((await page()).status).toBe(200);
  control().faults.add({ match: { path: /projects\?.*id_after=15/ }, answer: { kind: 'html', status: 502 } });
  expect((await page()).status).toBe(502);
});

test('truncated JSON arrives completely and cannot be parsed', async () => {
  plan({ kind: 'truncated_json' });
  const { status, json, text } = await list();
  expect([status, json]).toEqual([200, null]);
  expect(text).toMatch(/^\[\{"id":/);
});

test('a cut answer, a disconnect and a hang give no answer', async () => {
  for (const answer of [{ kind: 'cut' }, { kind: 'disconnect' }] as const) {
    const planned = plan(answer);
    await expect(list()).rejects.toThrow();
    planned.remove();
  }
  plan({ kind: 'hang' });
  await expect(
    fetch(`${started.simulator.url}${LIST}`, { signal: AbortSignal.timeout(300) }),
  ).rejects.toThrow('timeout');
});

test('a slow answer is late but correct', async () => {
  plan({ kind: 'slow', delayMs: 200 });
  const at = Date.now();
  expect((await list()).status).toBe(200);
  expect(Date.now() - at).toBeGreaterThanOrEqual(190);
});

test.each([['disconnect'], ['bad_gateway']] as const)(
  'a rotation takes effect even if its answer is lost by %s',
  async (how) => {
    const { token: old, id } = control().createToken({ scopes: ['self_rotate'] });
    control().faults.add({
      match: { method: 'POST', path: `${SELF}/rotate` },
      answer: { kind: 'lost_reply', how },
    });
    const rotation = call({
      simulator: started.simulator,
      path: `${SELF}/rotate`,
      method: 'POST',
      token: old,
    });
    if (how === 'disconnect') await expect(rotation).rejects.toThrow();
    else expect((await rotation).status).toBe(502);
    expect((await call({ simulator: started.simulator, path: SELF, token: old })).status).toBe(401);
    expect(control().token(id).revoked).toBe(true);
  },
);

test('no other host receives the token when an answer redirects', async () => {
  const other = await startSimulator();
  try {
    plan({ kind: 'redirect', location: `${other.simulator.url}/api/v4/projects` });
    await fetch(`${started.simulator.url}${LIST}`, { headers: { Authorization: `Bearer ${token}` } });
    expect(other.simulator.control.requests.count('GET /api/v4/projects')).toBe(1);
    expect(other.simulator.control.requests.authorizationsSeen()).toEqual([]);
    await fetch(`${started.simulator.url}${LIST}`, { headers: { 'PRIVATE-TOKEN': token } });
    expect(other.simulator.control.requests.authorizationsSeen()).toHaveLength(1);
  } finally {
    await other.stop();
  }
});

test.each<[FaultAnswer, RegExp]>([
  [{ kind: 'case', of: 'git', id: 'throttled' }, /remote: Retry later\n.*error: 429/],
  [{ kind: 'case', of: 'git', id: 'gitaly_down' }, /Gitaly, is not available.*\n.*error: 503/],
  [{ kind: 'html', status: 502 }, /error: 502/],
  [{ kind: 'git_error' }, /remote error: GitLab is currently unable to handle this request due to load/],
])('git fails with %j at its first request', async (answer, stderr) => {
  control().faults.add({ match: { path: '/acme/shop.git/info/refs' }, answer });
  expect((await cloneError('never')).stderr).toMatch(stderr);
});

test('git does not send the token to the sign-in page of a redirect', async () => {
  const other = await startSimulator();
  try {
    const location = `${other.simulator.url}/users/sign_in`;
    control().faults.add({
      match: { path: '/acme/shop.git/info/refs' },
      answer: { kind: 'redirect', location },
    });
    expect((await cloneError('redirected')).stderr).toContain('unable to update url base from redirection');
    expect(other.simulator.control.requests.counts()).toEqual({ 'GET /users/sign_in': 1 });
    expect(other.simulator.control.requests.authorizationsSeen()).toEqual([]);
  } finally {
    await other.stop();
  }
});

test('a truncated pack fails the clone and leaves no open request', async () => {
  control().faults.add({
    match: { path: /shop\.git/, fetchOnly: true },
    answer: { kind: 'cut', afterBytes: 200 },
  });
  expect((await cloneError('cut')).stderr).toMatch(/fatal: /);
  expect(control().requests.clones().inFlight).toBe(0);
});

test.each([[false], [true]])(
  'an endless pack keeps the clone running until it is killed (with data: %s)',
  async (data) => {
    control().faults.add({
      match: { path: '/acme/shop.git/git-upload-pack', fetchOnly: true },
      answer: { kind: 'endless_pack', data, bytesPerSecond: 200_000 },
    });
    const folder = join(started.home, `endless-${data}`);
    const child = spawn('git', ['clone', '--bare', '--depth', '1', address(), folder], {
      env: clientEnvironment(started.home),
      stdio: 'ignore',
    });
    const until = (expected: number) =>
      awaitUntil(() => control().requests.clones().inFlight === expected, { what: `${expected} in flight` });
    await until(1);
    await delay(500);
    expect(child.exitCode).toBeNull();
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    await until(0);
  },
);
