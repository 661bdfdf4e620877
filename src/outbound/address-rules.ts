import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { SecuError } from '../domain/errors.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

export interface Listener {
  host: string;
  port: number;
}

export interface AddressRules {
  /** Whether a connection to this address and port is allowed. */
  allows(input: { address: string; port: number }): boolean;
}

/** Addresses of cloud metadata services that give out credentials and are not link-local. */
const METADATA = new Set(['fd00:ec2::254', '100.100.100.200', '168.63.129.16', '192.0.0.192']);
const PRIVATE_RANGES = new Set(['private', 'loopback', 'uniqueLocal', 'carrierGradeNat']);
const GLOBAL_IPV6: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Allows public unicast addresses, and private or loopback ones within `allowedNetworks`. Always refused are
 * link-local, metadata, unspecified, multicast and reserved addresses, IPv6 forms that contain an IPv4 address,
 * and Secu's own listeners.
 * @throws SecuError `invalid_settings` for a network that is not a CIDR
 */
export function createAddressRules({
  allowedNetworks,
  ownListeners,
}: {
  allowedNetworks: readonly string[];
  ownListeners: readonly Listener[];
}): AddressRules {
  const networks = allowedNetworks.map(parseNetwork);
  return {
    allows({ address, port }) {
      if (!ipaddr.isValid(address)) return false;
      const parsed = ipaddr.parse(address);
      if (METADATA.has(parsed.toString()) || isOwnListener({ parsed, port, ownListeners })) return false;
      const range = parsed.range();
      if (PRIVATE_RANGES.has(range)) return networks.some((network) => isInside(parsed, network));
      return range === 'unicast' && (parsed.kind() === 'ipv4' || isInside(parsed, GLOBAL_IPV6));
    },
  };
}

function parseNetwork(text: string): [Address, number] {
  try {
    return ipaddr.parseCIDR(text);
  } catch (err) {
    throw new SecuError(
      'invalid_settings',
      `"${text}" is not a network in CIDR form, for example 10.20.0.0/16`,
      {
        cause: err,
      },
    );
  }
}

function isInside(address: Address, network: [Address, number]): boolean {
  return address.kind() === network[0].kind() && address.match(network);
}

function isOwnListener(input: { parsed: Address; port: number; ownListeners: readonly Listener[] }): boolean {
  const address = input.parsed.toString();
  return input.ownListeners.some(
    (listener) => listener.port === input.port && hostAddresses(listener.host).has(address),
  );
}

/** The addresses at which a listener accepts connections: for a wildcard, every address of the machine. */
function hostAddresses(host: string): Set<string> {
  if (host === 'localhost') return new Set(['127.0.0.1', '::1']);
  if (!ipaddr.isValid(host)) return new Set();
  const address = ipaddr.parse(host);
  if (address.range() !== 'unspecified') return new Set([address.toString()]);
  const local = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return new Set(local.map((entry) => ipaddr.parse(entry.address).toString()));
}
