import { expect, test } from '@jest/globals';
import { createOutboundPolicy } from '../../src/outbound/policy.ts';

const NAMES: Record<string, string[]> = {
  postgres: ['10.0.0.5'],
  temporal: ['10.0.0.6'],
  'db.internal': ['10.0.0.5'],
  'gitlab.internal': ['10.0.0.9'],
};

const policy = createOutboundPolicy({
  origins: ['http://postgres:5432', 'http://gitlab.internal'],
  allowedNetworks: ['10.0.0.0/8'],
  ownListeners: [
    { host: 'postgres', port: 5432 },
    { host: 'temporal', port: 7233 },
    { host: 'temporal', port: 7243 },
    { host: 'away', port: 9000 },
  ],
  lookup: async (host) => {
    const found = NAMES[host.toLowerCase().replace(/\.$/, '')];
    if (found === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    return found;
  },
});

test.each([
  ['its own database by name', 'postgres', 5432],
  ['the same name in another spelling', 'PostGres.', 5432],
  ['another name for the same address', 'db.internal', 5432],
  ['the address of the name', '10.0.0.5', 5432],
  ['the gRPC port of its Temporal server', 'temporal', 7233],
  ['the HTTP port of its Temporal server', 'temporal', 7243],
])('%s is refused as a target', async (_what, host, port) => {
  await expect(policy.resolve({ host, port })).rejects.toMatchObject({ code: 'origin_not_allowed' });
});

test.each([
  ['another port of that host', 'postgres', 443],
  ['another host on that port', 'gitlab.internal', 5432],
  ['a port whose own listener has no address here', 'gitlab.internal', 9000],
])('%s is allowed', async (_what, host, port) => {
  expect(await policy.resolve({ host, port })).toHaveLength(1);
});
