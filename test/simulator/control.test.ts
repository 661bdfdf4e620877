import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';

import { createSimulator } from '../../simulator/index.ts';
import { cloneUrl, git } from './scan.ts';
import type { Started } from './start.ts';
import { call, startSimulator } from './start.ts';

const SELF = '/api/v4/personal_access_tokens/self';

let started: Started;
beforeAll(async () => {
  started = await startSimulator();
});
afterAll(async () => {
  expect(started.simulator.control.failures()).toEqual([]);
  await started.stop();
});

async function callControl(name: string, body?: object, key = started.simulator.controlKey) {
  const { simulator } = started;
  const headers = { 'X-Simulator-Key': key };
  const method = body === undefined ? 'GET' : 'POST';
  const path = `/_simulator/${name}`;
  return call({
    simulator,
    path,
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const NewToken = z.object({ id: z.number(), token: z.string() });

test('the control does nothing without its key', async () => {
  expect((await callControl('createToken', {}, 'wrong')).status).toBe(401);
  expect((await callControl('requests', undefined, '')).status).toBe(401);
  expect((await callControl('nothing', {})).status).toBe(404);
  expect((await callControl('revokeToken', { tokenId: 'x' })).status).toBe(400);
  expect((await callControl('revokeToken', { tokenId: 4711 })).json).toEqual({ error: 'no token 4711' });
});

test('another process can create tokens, set the clock, plan faults and read the requests', async () => {
  const { simulator } = started;
  const { id, token } = NewToken.parse(
    (await callControl('createToken', { scopes: ['read_api'], expiresAt: '2040-01-01' })).json,
  );
  const self = async () => (await call({ simulator, path: SELF, token })).status;
  expect(await self()).toBe(200);
  await callControl('setClock', { to: '2040-01-01T00:00:00Z' });
  expect(await self()).toBe(401);
  await callControl('setClock', { to: 0 });
  await callControl('addFault', {
    match: { path: { regexp: 'tokens/self$' }, times: 1 },
    answer: { kind: 'html', status: 502 },
  });
  expect(await self()).toBe(502);
  await callControl('setTokenScopes', { tokenId: id, scopes: ['read_repository'] });
  expect((await call({ simulator, path: '/api/v4/projects', token })).status).toBe(403);
  await callControl('revokeToken', { tokenId: id });
  expect(await self()).toBe(401);
  expect((await callControl('counts')).json).toMatchObject({ [`GET ${SELF}`]: 4, 'GET /api/v4/projects': 1 });
  expect((await callControl('authorizations')).json).toEqual([
    createHash('sha256').update(token).digest('hex'),
  ]);
  const text = JSON.stringify([(await callControl('requests')).json, (await callControl('faults')).json]);
  expect(text).not.toContain(token);
  await callControl('resetRequests', {});
  expect((await callControl('counts')).json).toEqual({});
});

test('another process can change projects and read their expected findings', async () => {
  const { control } = started.simulator;
  await callControl('renameProject', { project: 'library', path: 'acme/books' });
  await callControl('archive', { project: 'acme/books' });
  expect(control.project('library')).toMatchObject({ path: 'acme/books', archived: true });
  const { json } = await callControl('pushCommit', { project: 'library', files: { 'a.txt': 'a' } });
  expect(json).toEqual({ commit: await control.head('library') });
  await callControl('addProject', { name: 'late', path: 'acme/late', files: { 'README.md': 'late' } });
  expect(await control.head('late')).toMatch(/^[0-9a-f]{40}$/);
  await callControl('removeProject', { project: 'late' });
  expect(() => control.project('late')).toThrow('no project late');
  expect((await callControl('expectations')).json).toMatchObject({
    'acme/shop': { listed: true, recipe: 'shop' },
  });
});

test('a role change takes effect in the listing at once', async () => {
  const { simulator } = started;
  const { control } = simulator;
  const user = control.createUser();
  const { token } = control.createToken({ userId: user.id });
  const paths = async () => {
    const { json } = await call({
      simulator,
      path: '/api/v4/projects?min_access_level=20&per_page=100',
      token,
    });
    return z
      .array(z.object({ path_with_namespace: z.string() }))
      .parse(json)
      .map((item) => item.path_with_namespace);
  };
  expect(await paths()).toContain('acme/shop');
  control.setRole({ project: 'acme/shop', userId: user.id, level: 10, via: 'group' });
  expect(await paths()).not.toContain('acme/shop');
  control.setRole({ project: 'acme/shop', userId: user.id, level: 0, via: 'group' });
  expect((await call({ simulator, path: '/api/v4/projects/15', token })).status).toBe(404);
});

test('connections are refused while it is down, and afterwards the same address answers again', async () => {
  const { simulator } = started;
  const { token } = simulator.control.createToken({});
  await simulator.control.down();
  try {
    const socket = connect(simulator.port, '127.0.0.1');
    await expect(once(socket, 'connect')).rejects.toThrow('ECONNREFUSED');
  } finally {
    await simulator.control.up();
  }
  expect((await call({ simulator, path: SELF, token })).status).toBe(200);
});

test('the log distinguishes clones from reads of the head, and shows how credentials were sent', async () => {
  const { simulator, home } = started;
  const { requests } = simulator.control;
  const { token } = simulator.control.createToken({});
  requests.reset();
  const url = cloneUrl({ url: simulator.url, path: 'acme/payments', token });
  await git({ home, args: ['ls-remote', url] });
  await git({ home, args: ['clone', '--bare', url, `${home}/payments.git`] });
  expect(requests.clones()).toEqual({ inFlight: 0, maxInFlight: 1, total: 1 });
  expect([requests.count('git ls-refs'), requests.count('git upload-pack')]).toEqual([2, 1]);
  const refs = requests.list().filter(({ route }) => route === 'git info/refs');
  expect(refs.map(({ authorization, status }) => [authorization, status])).toEqual([
    ['none', 401],
    ['basic', 200],
    ['none', 401],
    ['basic', 200],
  ]);
});

test('a permalink shows the file, without anything that a browser would run', async () => {
  const { simulator } = started;
  const { control, url } = simulator;
  const { commit } = await control.pushCommit({
    project: 'handbook',
    files: { 'x.html': '<script>alert(1)</script>\n' },
  });
  const page = await fetch(`${url}/acme/handbook/-/blob/${commit}/x.html`);
  expect(await page.text()).toContain('&lt;script&gt;');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
});

test('an instance can have a base path', async () => {
  const withBasePath = await startSimulator({ basePath: '/gitlab' });
  try {
    const { simulator, home } = withBasePath;
    const { token } = simulator.control.createToken({});
    expect(simulator.url).toMatch(/\/gitlab$/);
    expect((await call({ simulator, path: SELF, token })).status).toBe(200);
    const outside = await fetch(`${new URL(simulator.url).origin}${SELF}`, { redirect: 'manual' });
    expect(outside.status).not.toBe(200);
    await git({ home, args: ['ls-remote', cloneUrl({ url: simulator.url, path: 'acme/shop', token })] });
  } finally {
    await withBasePath.stop();
  }
});

test('a client that disconnects is not a failure of the simulator', async () => {
  const { simulator } = started;
  const client = request(`${simulator.url}/api/v4/projects`, {
    method: 'POST',
    headers: { 'Content-Length': '100' },
  });
  client.on('error', () => {});
  client.write('half');
  await once(client, 'socket');
  client.destroy();
  expect((await fetch(`${simulator.url}/users/sign_in`)).status).toBe(200);
  expect(simulator.control.failures()).toEqual([]);
});

test('tokens survive a restart on request', async () => {
  const folder = `${started.home}/kept`;
  const options = { folder, recipes: [], keepTokens: true };
  const first = await createSimulator(options);
  const { token, id } = first.control.createToken({ scopes: ['self_rotate'] });
  await first.close();
  const second = await createSimulator(options);
  expect((await call({ simulator: second, path: SELF, token })).status).toBe(200);
  expect(second.control.createToken({}).id).toBeGreaterThan(id);
  await second.close();
});
