import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { RawServer } from './support.ts';
import { canaryToken, failureOf, JSON_HEADERS, json, rawServer, worldOf } from './support.ts';

const opened: RawServer[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

async function serve(...input: Parameters<typeof rawServer>): Promise<RawServer> {
  const server = await rawServer(...input);
  opened.push(server);
  return server;
}

describe('an error', () => {
  test('never contains the token, a header or a query, even if the server repeats its whole request', async () => {
    const statuses = [200, 301, 400, 401, 403, 404, 405, 418, 429, 500];
    for (const status of statuses) {
      const server = await serve((request, response) => {
        const echo = JSON.stringify({ url: request.url, headers: request.rawHeaders });
        response.writeHead(status, {
          ...JSON_HEADERS,
          'x-request-id': canaryToken(),
          'x-echo': canaryToken(),
          location: `/x?private_token=${canaryToken()}`,
        });
        response.end(
          JSON.stringify({
            message: `403 Forbidden - ${echo}`,
            error: echo,
            error_description: echo,
            id: echo,
          }),
        );
      });
      const { api } = worldOf(server.url);
      const failures = [
        await failureOf(api().listProjectsPage({ idAfter: 7 })),
        ...(status === 404 ? [] : [await failureOf(api().readProject(1))]),
      ];
      for (const failure of failures) {
        const shown = [
          inspect(failure, { depth: 12, showHidden: true }),
          JSON.stringify(failure),
          String(failure.stack),
          JSON.stringify(failure.details),
        ].join('\n');
        expect(shown).not.toContain(canaryToken());
        expect(shown).not.toMatch(/bearer|authorization|id_after|membership=/i);
      }
    }
  });

  test('of the transport never contains them either', async () => {
    const server = await serve((request) => request.socket.destroy());
    const failure = await failureOf(worldOf(server.url).api().listProjectsPage({ idAfter: 7 }));
    const shown = inspect(failure, { depth: 12, showHidden: true });
    expect(shown).not.toContain(canaryToken());
    expect(shown).not.toMatch(/bearer|id_after/i);
    expect(failure.cause).toBeUndefined();
  });

  test('contains the request ID by which a GitLab administrator finds the request', async () => {
    const id = '01J9ZX3T0CABCDEFGHJKMNPQRS';
    const failure = await failureOf(
      worldOf((await serve(json(500, {}, { 'x-request-id': id }))).url)
        .api()
        .readProject(1),
    );
    expect(failure.details).toMatchObject({ gitlabRequestId: id, status: 500 });
  });

  test('does not contain a token that a server writes into its fields', async () => {
    const server = await serve(
      json(200, { id: 1, name: `my ${canaryToken()}`, scopes: ['read_api'], username: canaryToken() }),
    );
    const observed = await worldOf(server.url).api().observeSelf();
    expect(observed.kind).toBe('token');
    expect(JSON.stringify(observed)).not.toContain(canaryToken());
  });
});
