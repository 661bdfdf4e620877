import type { MiddlewareHandler } from 'hono';
import ipaddr from 'ipaddr.js';
import type { ApiEnv } from '../deps.ts';

const UNKNOWN = 'unknown';
/** The IPv6 network that a provider usually assigns to one customer. */
const IPV6_NETWORK_BITS = 64;

/** Sets the client address, for throttling and audit events. */
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
 * The peer of the connection, or, if that is a trusted proxy, the rightmost address in `X-Forwarded-For` that is not a
 * trusted proxy. Everything further left could be forged by the client.
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

/** The key for sign-in throttling: an IPv4 address, or the /64 network of an IPv6 address. */
export function throttledNetwork(address: string): string {
  const known = parsed(address);
  if (known === null || known.kind() === 'ipv4') return address;
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${known.toString()}/${IPV6_NETWORK_BITS}`);
  return `${network.toString()}/${IPV6_NETWORK_BITS}`;
}

/** Unwraps IPv4-mapped IPv6 addresses and removes ports and brackets that some proxies add. */
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
