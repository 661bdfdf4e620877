import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { deflateSync, gzipSync } from 'node:zlib';
import { PersonalAccessTokens } from '@gitbeaker/rest';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '../../src/domain/secret.ts';
import { requesterFor } from '../../src/gitlab/requester.ts';
import type { RawServer } from './support.ts';
import { answering, canaryToken, failureOf, JSON_HEADERS, json, rawServer, worldOf } from './support.ts';

const opened: Array<{ close(): Promise<unknown> }> = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

async function serve(...input: Parameters<typeof rawServer>): Promise<RawServer> {
  const server = await rawServer(...input);
  opened.push(server);
  return server;
}

/** A server that sends what `onConnection` writes. */
async function serveBytes(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function failureAt(server: { url: string }) {
  return failureOf(worldOf(server.url).api().readProject(1));
}

const project = { id: 1, path_with_namespace: 'acme/shop' };

describe('an answer', () => {
  test('with a charset, a vendor type or a byte order mark is read', async () => {
    for (const type of ['application/json; charset=utf-8', 'application/vnd.gitlab+json']) {
      const server = await serve(
        answering(200, { 'content-type': type }, `\ufeff${JSON.stringify(project)}`),
      );
      expect(await worldOf(server.url).api().readProject(1)).toMatchObject({ fullPath: 'acme/shop' });
    }
  });

  test.each([
    [
      'JSON under another type',
      answering(200, { 'content-type': 'text/plain' }, JSON.stringify(project)),
      'gitlab_reply_unreadable',
    ],
    ['half of it', answering(200, JSON_HEADERS, '{"id": 1, "path_with'), 'gitlab_reply_unreadable'],
    ['nothing', answering(200, JSON_HEADERS), 'gitlab_reply_unreadable'],
    ['no type', answering(200, {}, 'hello'), 'gitlab_reply_unreadable'],
    [
      'bytes that are no UTF-8',
      answering(200, JSON_HEADERS, Buffer.from('{"id":1,"path_with_namespace":"caf\xe9"}', 'latin1')),
      'gitlab_reply_unreadable',
    ],
    [
      'broken compression',
      answering(200, { ...JSON_HEADERS, 'content-encoding': 'gzip' }, 'not gzip at all'),
      'gitlab_reply_unreadable',
    ],
    [
      'a page',
      answering(200, { 'content-type': 'text/html; charset=utf-8' }, '<html>hello</html>'),
      'not_gitlab',
    ],
    [
      'a page under the type of JSON',
      answering(200, JSON_HEADERS, '<!DOCTYPE html><html></html>'),
      'not_gitlab',
    ],
    ['another project', json(200, { ...project, id: 2 }), 'gitlab_reply_unreadable'],
    ['a list', json(200, [project]), 'gitlab_reply_unreadable'],
    [
      'a path with parent folders',
      json(200, { ...project, path_with_namespace: 'acme/../../etc' }),
      'gitlab_reply_unreadable',
    ],
    [
      'a path with a line break',
      json(200, { ...project, path_with_namespace: 'acme/a\nb' }),
      'gitlab_reply_unreadable',
    ],
    ['a status that nobody expects', json(418, {}), 'gitlab_reply_unreadable'],
    [
      'a sign-in of a proxy',
      answering(401, { 'content-type': 'text/html' }, '<html>sign in</html>'),
      'gitlab_reply_unreadable',
    ],
    ['a JSON 401 of something else', json(401, { detail: 'who are you' }), 'gitlab_reply_unreadable'],
  ])('with %s has its own error', async (_name, handler, code) => {
    expect((await failureAt(await serve(handler))).code).toBe(code);
  });

  test('of an unexpected shape is unreadable; the error names the field, not its value', async () => {
    const server = await serve(json(200, { id: 'x', path_with_namespace: 'hidden-value' }));
    const failure = await failureAt(server);
    expect(failure.message).toContain('id');
    expect(inspect(failure)).not.toContain('hidden-value');
  });

  test('whose IDs are not ascending is unreadable, so that no listing loops', async () => {
    const page = [project, { ...project, id: 3 }, { ...project, id: 2 }];
    const server = await serve(json(200, page));
    const { api } = worldOf(server.url);
    expect((await failureOf(api().listProjectsPage({ idAfter: null }))).code).toBe('gitlab_reply_unreadable');
    expect((await failureOf(api().listProjectsPage({ idAfter: 5 }))).code).toBe('gitlab_reply_unreadable');
  });

  test('with one unreadable item names it and its field, and lists the others', async () => {
    const server = await serve(json(200, [project, { id: 2 }]));
    const page = await worldOf(server.url).api().listProjectsPage({ idAfter: null });
    expect(page.repositories.map(({ gitlabProjectId }) => gitlabProjectId)).toEqual([1]);
    expect(page.entries.at(-1)).toMatchObject({
      gitlabProjectId: 2,
      repository: null,
      unreadable: { gitlabProjectId: 2, problem: 'unexpected_shape', field: 'path_with_namespace' },
    });
    expect(page.lastId).toBe(2);
  });

  test('is reduced to the fields that we use: no runner token, no permissions', async () => {
    const server = await serve(json(200, { ...project, runners_token: 'r', permissions: {} }));
    const repository = await worldOf(server.url).api().readProject(1);
    expect(Object.keys(repository ?? {}).sort()).toEqual([
      'archived',
      'defaultBranch',
      'empty',
      'fork',
      'fullPath',
      'gitlabProjectId',
      'lastActivityAt',
      'pendingDeletion',
      'personal',
      'repositoryDisabled',
      'visibility',
    ]);
  });

  test('of 20 MB or more is cut off, also if it is compressed', async () => {
    const large = Buffer.from(JSON.stringify({ ...project, filler: 'x'.repeat(21 * 1_024 * 1_024) }));
    const plain = await serve(answering(200, JSON_HEADERS, large));
    expect((await failureAt(plain)).details).toMatchObject({ problem: 'reply_too_large' });
    const bomb = await serve(
      answering(200, { ...JSON_HEADERS, 'content-encoding': 'gzip' }, gzipSync(large)),
    );
    expect((await failureAt(bomb)).details).toMatchObject({ problem: 'reply_too_large' });
    const deflated = await serve(
      answering(200, { ...JSON_HEADERS, 'content-encoding': 'deflate' }, deflateSync(large)),
    );
    expect((await failureAt(deflated)).details).toMatchObject({ problem: 'reply_too_large' });
  });

  test('just under 20 MB is read', async () => {
    const server = await serve(json(200, { ...project, filler: 'x'.repeat(19 * 1_024 * 1_024) }));
    expect(await worldOf(server.url).api().readProject(1)).toMatchObject({ gitlabProjectId: 1 });
  });
});

describe('a base URL with a path', () => {
  test('keeps its path before the API path', async () => {
    const server = await serve(json(200, project));
    await worldOf(`${server.url}/gitlab`).api().readProject(1);
    expect(server.requests[0]?.url).toBe('/gitlab/api/v4/projects/1');
  });
});

describe('a redirect', () => {
  let trap: RawServer;

  beforeEach(async () => {
    trap = await serve(json(200, project));
  });

  test.each([301, 302, 303, 307, 308])(
    'of status %d is never followed; only its host is reported',
    async (status) => {
      const server = await serve(
        answering(status, { location: `${trap.url}/api/v4/projects/1?private_token=leak` }),
      );
      const failure = await failureAt(server);
      expect(failure.code).toBe('gitlab_redirected');
      expect(failure.details).toMatchObject({ redirectedTo: new URL(trap.url).host });
      expect(inspect(failure)).not.toContain('leak');
      expect(trap.requests).toHaveLength(0);
      expect(server.requests).toHaveLength(1);
    },
  );

  test('to a sign-in page means that this is not an API', async () => {
    const server = await serve(answering(302, { location: `${trap.url}/users/sign_in` }));
    const failure = await failureAt(server);
    expect([failure.code, failure.details['problem']]).toEqual(['not_gitlab', 'redirected_to_sign_in']);
    expect(trap.requests).toHaveLength(0);
  });
});

describe('a rate limit', () => {
  const inSeconds = (seconds: number) => String(Math.floor(Date.now() / 1_000) + seconds);
  const throttled = (headers: Record<string, string> = {}) =>
    answering(429, { 'content-type': 'text/plain', ...headers }, 'Retry later\n');

  test.each([
    ['Retry-After in seconds', { 'retry-after': '7' }, 7_000, 7_000],
    [
      'Retry-After as a date',
      { 'retry-after': new Date(Date.now() + 120_000).toUTCString() },
      100_000,
      121_000,
    ],
    ['a date in the past', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 1_000, 1_000],
    ['zero', { 'retry-after': '0' }, 1_000, 1_000],
    ['an absurd one', { 'retry-after': '99999999' }, 900_000, 900_000],
    ['RateLimit-Reset', { 'ratelimit-reset': inSeconds(90) }, 60_000, 91_000],
    ['nonsense', { 'retry-after': 'soon' }, 60_000, 60_000],
    ['nothing', {}, 60_000, 60_000],
  ])('with %s sets the time to wait', async (_name, headers, least, most) => {
    const failure = await failureAt(await serve(throttled(headers)));
    expect(failure.code).toBe('gitlab_rate_limited');
    expect(failure.details['retryAfterMs']).toBeGreaterThanOrEqual(least);
    expect(failure.details['retryAfterMs']).toBeLessThanOrEqual(most);
  });

  test('of the project list without a header is ten minutes, the window of GitLab', async () => {
    const server = await serve(
      json(429, { message: { error: 'This endpoint has been requested too many times.' } }),
    );
    const failure = await failureOf(worldOf(server.url).api().listProjectsPage({ idAfter: null }));
    expect(failure.details['retryAfterMs']).toBe(600_000);
  });

  test('delays the next request of the same token', async () => {
    const server = await serve(json(429, { message: { error: 'too many' } }));
    const { api } = worldOf(server.url);
    await failureOf(api().readProject(1));
    const failure = await failureOf(api().readProject(1));
    expect(failure.code).toBe('gitlab_rate_limited');
    expect(failure.details['retryAfterMs']).toBeGreaterThan(50_000);
    expect(server.requests).toHaveLength(1);
  });

  test('of one route delays neither other routes nor other tokens', async () => {
    const server = await serve((request, response) => {
      const isLimited =
        request.url?.includes('/projects') === true && request.headers.authorization?.endsWith('a') === true;
      json(
        isLimited ? 429 : 200,
        isLimited ? { message: { error: 'too many' } } : { ...project, name: 'n', scopes: [], username: 'u' },
      )(request, response);
    });
    const { api } = worldOf(server.url);
    await failureOf(api({ token: `${canaryToken()}a` }).readProject(1));
    expect((await api({ token: `${canaryToken()}a` }).observeSelf()).kind).toBe('token');
    expect(await api({ token: `${canaryToken()}b` }).readProject(1)).not.toBeNull();
  });

  test('of the whole instance delays every token there', async () => {
    const server = await serve(throttled({ 'retry-after': '300' }));
    const { api } = worldOf(server.url);
    await failureOf(api({ token: `${canaryToken()}a` }).readProject(1));
    await failureOf(api({ token: `${canaryToken()}b` }).readProject(1));
    expect(server.requests).toHaveLength(1);
  });
});

describe('a request', () => {
  test.each([429, 500, 502, 503])(
    'that is answered with %d is not sent again, especially not a rotation',
    async (status) => {
      const server = await serve(json(status, {}));
      const world = worldOf(server.url);
      const token = new Secret(canaryToken());
      const tokens = new PersonalAccessTokens({
        host: server.url,
        oauthToken: () => Promise.resolve(token.reveal()),
        requesterFn: requesterFor({
          ...world,
          userAgent: 'x',
          baseUrl: new URL(server.url),
          lane: 'one',
          withoutToken: (text) => text,
        }),
        queryTimeout: null,
      });
      await failureOf(tokens.rotate('self', { expiresAt: '2030-01-31' }));
      expect(server.requests.map((request) => request.method)).toEqual(['POST']);
      expect(server.requests[0]?.headers['content-type']).toBe('application/json');
    },
  );

  test('whose connection is cut after sending is not sent again', async () => {
    let connections = 0;
    const url = await serveBytes((socket) => {
      connections += 1;
      socket.once('data', () => socket.destroy());
    });
    const failure = await failureAt({ url });
    expect([failure.code, failure.details['problem']]).toEqual(['gitlab_unreachable', 'connection_reset']);
    expect(connections).toBe(1);
  });
});

describe('a connection', () => {
  test('that is refused has its own problem code', async () => {
    const server = await rawServer(json(200, {}));
    await server.close();
    const failure = await failureAt(server);
    expect([failure.code, failure.details['problem']]).toEqual(['gitlab_unreachable', 'connection_refused']);
  });

  test('to a name that does not resolve has its own problem code', async () => {
    const world = worldOf('http://no-such-host.invalid');
    const failure = await failureOf(world.api().readProject(1));
    expect([failure.code, failure.details['problem']]).toEqual(['gitlab_unreachable', 'dns_name_not_found']);
    expect(failure.message).toContain('no-such-host.invalid');
  });

  test('to a server that does not speak HTTP has an unreadable reply', async () => {
    const url = await serveBytes((socket) => socket.write('220 mail.example.com ESMTP\r\n'));
    const failure = await failureAt({ url });
    expect(failure.code).toBe('gitlab_reply_unreadable');
  });

  test('whose headers never end is closed', async () => {
    const url = await serveBytes((socket) =>
      socket.write(`HTTP/1.1 200 OK\r\n${'x-filler: yyyyyyyy\r\n'.repeat(20_000)}`),
    );
    const failure = await failureAt({ url });
    expect(failure.code).toBe('gitlab_reply_unreadable');
  });
});
