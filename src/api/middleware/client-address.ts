import type { MiddlewareHandler } from 'hono';
import ipaddr from 'ipaddr.js';
import type { ApiEnv } from '../deps.ts';

const UNKNOWN = 'unknown';
/** What one customer of a provider commonly has: who has one address of it has all. */
const IPV6_NETWORK_BITS = 64;

/** Notes the client's address, for throttling and for audit events. */
export function addressScope({
  trustedProxies,
}: {
  trustedProxies: readonly string[];
}): MiddlewareHandler<ApiEnv> {
  const trusted = trustedProxies.map((network) => ipaddr.parseCIDR(network));
  return async (c, next) => {
    const peer = c.env?.incoming?.socket.remoteAddress;
    c.set('address', clientAddress({ peer, forwardedFor: c.req.header('X-Forwarded-For'), trusted }));
    await next();
  };
}

/**
 * The other end of the connection; where that is a trusted proxy, whoever it says it spoke to, and so on from proxy to
 * proxy. What stands further left in the header was written by the client itself.
 */
export function clientAddress({
  peer,
  forwardedFor = '',
  trusted,
}: {
  peer: string | undefined;
  forwardedFor?: string | undefined;
  trusted: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];
}): string {
  let address = parsed(peer);
  if (address === null) return UNKNOWN;
  const hops = forwardedFor.split(',').reverse();
  for (const hop of hops) {
    if (!isTrusted(address, trusted)) break;
    const before = parsed(hop);
    if (before === null) break;
    address = before;
  }
  return address.toString();
}

/** Whom a try to sign in is counted against: an IPv4 address, or the network of an IPv6 one. */
export function throttledNetwork(address: string): string {
  const known = parsed(address);
  if (known === null || known.kind() === 'ipv4') return address;
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${known.toString()}/${IPV6_NETWORK_BITS}`);
  return `${network.toString()}/${IPV6_NETWORK_BITS}`;
}

/** An IPv4 address that was wrapped into an IPv6 one is itself again; ports and brackets that some proxies add go. */
function parsed(text: string | undefined): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const bare = (text ?? '')
    .trim()
    .replace(/^\[([^\]]*)\](:\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  return ipaddr.isValid(bare) && !/^\d+$/.test(bare) ? ipaddr.process(bare) : null;
}

function isTrusted(
  address: ipaddr.IPv4 | ipaddr.IPv6,
  trusted: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][],
): boolean {
  return trusted.some((network) => network[0].kind() === address.kind() && address.match(network));
}
