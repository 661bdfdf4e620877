import { expect, test } from '@jest/globals';
import ipaddr from 'ipaddr.js';
import { clientAddress, throttledNetwork } from '../../src/api/middleware/client-address.ts';

const trusted = ['10.0.0.0/8', '192.0.2.7/32', '2001:db8:ffff::/48'].map((network) =>
  ipaddr.parseCIDR(network),
);

test.each([
  ['no proxy', '203.0.113.5', undefined, '203.0.113.5'],
  ['a client that writes the header itself', '203.0.113.5', '198.51.100.1', '203.0.113.5'],
  ['one proxy', '10.0.0.1', '203.0.113.5', '203.0.113.5'],
  ['a proxy, and a client that wrote before it', '10.0.0.1', '1.2.3.4, 203.0.113.5', '203.0.113.5'],
  ['two proxies', '10.0.0.1', '203.0.113.5, 192.0.2.7', '203.0.113.5'],
  [
    'two proxies, and a client that claims to be one',
    '10.0.0.1',
    '10.9.9.9, 203.0.113.5, 192.0.2.7',
    '203.0.113.5',
  ],
  ['a proxy that says nothing', '10.0.0.1', undefined, '10.0.0.1'],
  ['a proxy that says nonsense', '10.0.0.1', 'unknown', '10.0.0.1'],
  ['nonsense before what the proxy says', '10.0.0.1', 'a=b, 203.0.113.5', '203.0.113.5'],
  ['a number, which some read as an address', '10.0.0.1', '3405803781', '10.0.0.1'],
  ['everybody trusted', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['a wrapped IPv4 address', '::ffff:10.0.0.1', '::ffff:203.0.113.5', '203.0.113.5'],
  ['a port behind it', '10.0.0.1', '203.0.113.5:4711', '203.0.113.5'],
  ['IPv6 in brackets', '2001:db8:ffff::1', '[2001:db8::5]:4711', '2001:db8::5'],
  ['no connection', undefined, '203.0.113.5', 'unknown'],
])('%s', (_what, peer, forwardedFor, address) => {
  expect(clientAddress({ peer, forwardedFor, trusted })).toBe(address);
});

test.each([
  ['203.0.113.5', '203.0.113.5'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['unknown', 'unknown'],
])('tries from %s count against %s', (address, network) => {
  expect(throttledNetwork(address)).toBe(network);
});
