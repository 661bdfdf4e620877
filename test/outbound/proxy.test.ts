import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createProxyBypass } from '../../src/outbound/proxy-bypass.ts';
import { json, rawServer, worldOf } from '../gitlab/support.ts';
import { createTestCa } from '../support/test-ca.ts';

const opened: Array<{ close(): Promise<unknown> }> = [];
const project = { id: 1, path_with_namespace: 'acme/shop' };

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

async function serve(...input: Parameters<typeof rawServer>) {
  const server = await rawServer(...input);
  opened.push(server);
  return server;
}

describe('a proxy', () => {
  async function proxy() {
    const requested: string[] = [];
    const headers: string[] = [];
    const server = createHttpServer((_request, response) => response.writeHead(400).end());
    server.on('connect', (request, client, head) => {
      requested.push(request.url ?? '');
      headers.push(request.rawHeaders.join(' '));
      const [host, port] = (request.url ?? '').split(':');
      if (host === 'refused.example.com') {
        client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
        return;
      }
      const upstream = connect(Number(port), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.write(head);
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on('error', () => client.destroy());
      client.on('error', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push({
      close: () =>
        new Promise((resolve) => {
          server.closeAllConnections();
          server.close(resolve);
        }),
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: requested, headers };
  }

  test('forwards the requests, resolves the name itself and never receives the token', async () => {
    const ca = await createTestCa();
    const tls = await ca.issue({ names: ['gitlab.example.com'] });
    const server = await serve(json(200, project), { tls });
    const between = await proxy();
    const world = worldOf(`https://gitlab.example.com:${server.port}`, {
      proxyUrl: between.url,
      allowedNetworks: [],
      caPem: ca.caPem,
    });
    opened.push(world.policy, { close: () => ca.remove() });
    expect(await world.api().readProject(1)).not.toBeNull();
    expect(between.asked).toEqual([`gitlab.example.com:${server.port}`]);
    expect(between.headers.join(' ')).not.toMatch(/bearer|authorization/i);
    expect(server.requests[0]?.headers.authorization).toMatch(/^Bearer /);
    expect(await world.policy.pinFor(`https://gitlab.example.com:${server.port}`)).toBeNull();
    expect(world.policy.proxyFor(new URL('https://gitlab.example.com'))).toBe(between.url);
  });

  test('that refuses is an outage', async () => {
    const between = await proxy();
    const world = worldOf('https://refused.example.com', { proxyUrl: between.url });
    opened.push(world.policy);
    await expect(world.api().readProject(1)).rejects.toMatchObject({
      code: 'gitlab_unreachable',
      details: { problem: 'proxy_refused' },
    });
  });

  test('does not bypass the address rules', async () => {
    const between = await proxy();
    const world = worldOf('https://169.254.169.254', { proxyUrl: between.url });
    opened.push(world.policy);
    await expect(world.api().readProject(1)).rejects.toMatchObject({
      details: { problem: 'address_refused' },
    });
    expect(between.asked).toHaveLength(0);
  });

  test('is bypassed for the configured hosts', async () => {
    const server = await serve(json(200, project));
    const between = await proxy();
    const world = worldOf(server.url, { proxyUrl: between.url, noProxy: '10.0.0.0/8, 127.0.0.0/8' });
    opened.push(world.policy);
    expect(await world.api().readProject(1)).not.toBeNull();
    expect(between.asked).toHaveLength(0);
    expect(world.policy.proxyFor(new URL(server.url))).toBeNull();
  });

  test.each([
    ['example.com', 'https://example.com', true],
    ['example.com', 'https://git.example.com', true],
    ['.example.com', 'https://git.example.com', true],
    ['*.example.com', 'https://git.example.com', true],
    ['example.com', 'https://notexample.com', false],
    ['example.com:8443', 'https://example.com', false],
    ['example.com:443', 'https://example.com', true],
    ['10.0.0.0/8', 'https://10.1.2.3', true],
    ['10.0.0.0/8', 'https://11.1.2.3', false],
    ['10.0.0.0/8', 'https://ten.example.com', false],
    ['::1', 'http://[::1]:8080', true],
    ['*', 'https://anything.example', true],
    ['', 'https://anything.example', false],
  ])('with the bypass list %j is bypassed for %s: %s', (list, url, expected) => {
    expect(createProxyBypass(list)(new URL(url))).toBe(expected);
  });
});
