import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createAddressRules } from '../../src/outbound/address-rules.ts';
import { createOutboundPolicy } from '../../src/outbound/policy.ts';
import { json, LOOPBACK, rawServer, worldOf } from '../gitlab/support.ts';

const opened: Array<{ close(): Promise<unknown> }> = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

async function serve(...input: Parameters<typeof rawServer>) {
  const server = await rawServer(...input);
  opened.push(server);
  return server;
}

function policyOf(options: Partial<Parameters<typeof createOutboundPolicy>[0]> = {}) {
  const policy = createOutboundPolicy({
    origins: ['https://gitlab.com'],
    allowedNetworks: [],
    ownListeners: [],
    ...options,
  });
  opened.push(policy);
  return policy;
}

const project = { id: 1, path_with_namespace: 'acme/shop' };

describe('a base URL', () => {
  const policy = () =>
    policyOf({
      origins: ['https://gitlab.com', 'http://old.example.com:8080', 'https://shared.example.com/gitlab'],
    });

  test.each([
    'https://gitlab.com',
    'https://GitLab.com/',
    'https://gitlab.com:443',
    'https://gitlab.com/sub',
    'http://old.example.com:8080',
    'https://shared.example.com/gitlab',
    'https://shared.example.com/gitlab/',
  ])('%s is allowed', (url) => {
    expect(policy().check(url)).toBeInstanceOf(URL);
  });

  test.each([
    'http://gitlab.com',
    'https://gitlab.com:8443',
    'https://gitlab.com.evil.example',
    'https://evil.example/?x=https://gitlab.com',
    'https://gitlab.com@evil.example',
    'https://user@gitlab.com',
    'https://user:password@gitlab.com',
    'https://gitlab.com?x=1',
    'https://gitlab.com#x',
    'https://old.example.com:8080',
    'http://old.example.com',
    'https://shared.example.com',
    'https://shared.example.com/gitlabber',
    'https://shared.example.com/gitlab/../admin',
    'ftp://gitlab.com',
    'file:///etc/passwd',
    'gitlab.com',
    '',
  ])('%j is not allowed', (url) => {
    expect(() => policy().check(url)).toThrow(expect.objectContaining({ code: 'origin_not_allowed' }));
  });

  test('that is no longer listed gets no request, and is observed as unreachable', async () => {
    const server = await serve(json(200, project));
    const world = worldOf(server.url, { origins: ['https://gitlab.com'] });
    expect(await world.api({ baseUrl: server.url }).observeSelf()).toEqual({
      kind: 'no_answer',
      cause: 'gitlab_unreachable',
    });
    await expect(world.api({ baseUrl: server.url }).readProject(1)).rejects.toMatchObject({
      code: 'origin_not_allowed',
    });
    expect(server.requests).toHaveLength(0);
  });
});

describe('an address', () => {
  const nothingAllowed = createAddressRules({ allowedNetworks: [], ownListeners: [] });
  const everythingAllowed = createAddressRules({ allowedNetworks: ['0.0.0.0/0', '::/0'], ownListeners: [] });

  test.each(['35.231.145.151', '8.8.8.8', '2606:4700:90::1', '2001:4860:4860::8888'])(
    '%s is public',
    (address) => {
      expect(nothingAllowed.allows({ address, port: 443 })).toBe(true);
    },
  );

  test.each([
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '127.0.0.1',
    '127.9.9.9',
    '100.64.0.1',
    '::1',
    'fd12::1',
  ])('%s is private, and allowed only inside an allowed network', (address) => {
    expect(nothingAllowed.allows({ address, port: 443 })).toBe(false);
    expect(everythingAllowed.allows({ address, port: 443 })).toBe(true);
  });

  test.each([
    '169.254.169.254',
    '169.254.0.1',
    'fe80::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '224.0.0.1',
    'ff02::1',
    '255.255.255.255',
    '240.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::7f00:1',
    '2002:7f00:1::',
    '2001:0:7f00:1::',
    'fec0::1',
    '2001:db8::1',
    'not an address',
    '',
  ])('%j is always refused', (address) => {
    expect(everythingAllowed.allows({ address, port: 443 })).toBe(false);
  });

  test('inside one allowed network does not allow others', () => {
    const rules = createAddressRules({ allowedNetworks: ['10.20.0.0/16', 'fd12::/48'], ownListeners: [] });
    const allowed = ['10.20.3.4', 'fd12::9', '10.21.0.1', '127.0.0.1', 'fd13::1'].filter((address) =>
      rules.allows({ address, port: 1 }),
    );
    expect(allowed).toEqual(['10.20.3.4', 'fd12::9']);
  });

  test("of Secu's own listener is refused on its port, by every name", () => {
    const rules = createAddressRules({
      allowedNetworks: ['127.0.0.0/8', '::1/128', '0.0.0.0/0'],
      ownListeners: [
        { host: '127.0.0.1', port: 8080 },
        { host: 'localhost', port: 7233 },
        { host: '0.0.0.0', port: 9000 },
      ],
    });
    expect(rules.allows({ address: '127.0.0.1', port: 8080 })).toBe(false);
    expect(rules.allows({ address: '127.0.0.1', port: 8081 })).toBe(true);
    expect(rules.allows({ address: '::1', port: 7233 })).toBe(false);
    const own = Object.values(networkInterfaces())
      .flat()
      .find((entry) => entry?.family === 'IPv4');
    expect(rules.allows({ address: own?.address ?? '127.0.0.1', port: 9000 })).toBe(false);
  });

  test('range that is not a CIDR is an invalid setting', () => {
    expect(() => createAddressRules({ allowedNetworks: ['10.0.0.0'], ownListeners: [] })).toThrow(
      expect.objectContaining({ code: 'invalid_settings' }),
    );
  });
});

describe('a connection', () => {
  const spellings = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '①②⑦.0.0.1',
    '127。0。0。1',
    '127.0.0.1.',
  ];

  test.each(spellings)(
    'to %s is refused although the origin is listed, and no request arrives',
    async (host) => {
      const server = await serve(json(200, project));
      const baseUrl = `http://${host}:${server.port}`;
      const world = worldOf(baseUrl, { allowedNetworks: [] });
      await expect(world.api().readProject(1)).rejects.toMatchObject({
        code: 'gitlab_unreachable',
        details: { problem: 'address_refused' },
      });
      expect(server.requests).toHaveLength(0);
      const allowed = worldOf(baseUrl, { allowedNetworks: ['127.0.0.0/8'] });
      expect(await allowed.api().readProject(1)).not.toBeNull();
    },
  );

  test.each(['[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:127.0.0.1]'])(
    'to %s is refused',
    async (host) => {
      const server = await serve(json(200, project), { host: '::' });
      const world = worldOf(`http://${host}:${server.port}`, { allowedNetworks: ['127.0.0.0/8'] });
      await expect(world.api().readProject(1)).rejects.toMatchObject({
        details: { problem: 'address_refused' },
      });
      expect(server.requests).toHaveLength(0);
    },
  );

  test('goes to the checked address, although the name resolves differently a moment later', async () => {
    const server = await serve(json(200, project));
    const answers = [['127.0.0.1'], ['169.254.169.254'], ['10.0.0.1']];
    let lookups = 0;
    const world = worldOf(`http://gitlab.example.com:${server.port}`, {
      lookup: () => {
        lookups += 1;
        return Promise.resolve(answers[lookups - 1] ?? ['0.0.0.0']);
      },
    });
    expect(await world.api().readProject(1)).not.toBeNull();
    expect(lookups).toBe(1);
    expect(server.requests[0]?.headers.host).toBe(`gitlab.example.com:${server.port}`);
  });

  test('is refused if a name changes to loopback after a successful check', async () => {
    const server = await serve((request, response) =>
      json(200, project, { connection: 'close' })(request, response),
    );
    let address = '127.0.0.2';
    const world = worldOf(`http://gitlab.example.com:${server.port}`, {
      allowedNetworks: ['127.0.0.2/32'],
      lookup: () => Promise.resolve([address]),
    });
    await expect(world.api().readProject(1)).rejects.toMatchObject({
      details: { problem: 'connection_refused' },
    });
    address = '127.0.0.1';
    await expect(world.api().readProject(1)).rejects.toMatchObject({
      details: { problem: 'address_refused' },
    });
    expect(server.requests).toHaveLength(0);
  });

  test('is refused if one of several addresses is not allowed', async () => {
    const policy = policyOf({ lookup: () => Promise.resolve(['8.8.8.8', '169.254.169.254']) });
    await expect(policy.resolve({ host: 'gitlab.com', port: 443 })).rejects.toMatchObject({
      code: 'origin_not_allowed',
    });
  });

  test("to Secu's own listener is refused", async () => {
    const server = await serve(json(200, project));
    const world = worldOf(server.url, { ownListeners: [{ host: '127.0.0.1', port: server.port }] });
    await expect(world.api().readProject(1)).rejects.toMatchObject({
      details: { problem: 'address_refused' },
    });
    expect(server.requests).toHaveLength(0);
  });

  test('tries the next address of a host if the first one does not answer', async () => {
    const server = await serve(json(200, project));
    const world = worldOf(`http://gitlab.example.com:${server.port}`, {
      lookup: () => Promise.resolve(['127.0.0.9', '127.0.0.1']),
    });
    expect(await world.api().readProject(1)).not.toBeNull();
  });
});

describe('the pin for git', () => {
  test('contains host, port and every checked address', async () => {
    const policy = policyOf({ lookup: () => Promise.resolve(['8.8.8.8', '2606:4700:90::1']) });
    expect(await policy.pinFor('https://gitlab.com')).toBe('gitlab.com:443:8.8.8.8,[2606:4700:90::1]');
    expect(await policy.pinFor('https://gitlab.com/acme/shop.git')).toBe(
      'gitlab.com:443:8.8.8.8,[2606:4700:90::1]',
    );
  });

  test('does not exist for an address, which is still checked', async () => {
    const origins = ['http://127.0.0.1:8080', 'http://[::1]:8080'];
    const policy = policyOf({ origins, allowedNetworks: LOOPBACK });
    expect(await policy.pinFor('http://127.0.0.1:8080')).toBeNull();
    expect(await policy.pinFor('http://[::1]:8080')).toBeNull();
    await expect(policyOf({ origins }).pinFor('http://127.0.0.1:8080')).rejects.toMatchObject({
      code: 'origin_not_allowed',
    });
  });

  test('is refused for another origin and for a refused address', async () => {
    const policy = policyOf({ lookup: () => Promise.resolve(['10.0.0.1']) });
    await expect(policy.pinFor('https://evil.example')).rejects.toMatchObject({ code: 'origin_not_allowed' });
    await expect(policy.pinFor('https://gitlab.com')).rejects.toMatchObject({ code: 'origin_not_allowed' });
  });
});
