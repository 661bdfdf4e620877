import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Listener } from './address-rules.ts';

/**
 * Listeners that are configured by name, such as `postgres:5432`. The address rules contain those configured by
 * address.
 */
function namedListeners(listeners: readonly Listener[], port: number): Listener[] {
  return listeners.filter((listener) => listener.port === port && isIP(listener.host) === 0);
}

/** Compares names like DNS: without case and without a trailing dot. */
export function isNameOfOwnListener(input: {
  host: string;
  port: number;
  listeners: readonly Listener[];
}): boolean {
  const name = plainName(input.host);
  return namedListeners(input.listeners, input.port).some(({ host }) => plainName(host) === name);
}

/**
 * The current addresses of the named listeners of this port, so that other names of these addresses are refused
 * too.
 */
export async function addressesOfOwnListeners(input: {
  listeners: readonly Listener[];
  port: number;
  lookup: (host: string) => Promise<string[]>;
}): Promise<ReadonlySet<string>> {
  const named = namedListeners(input.listeners, input.port);
  const found = await Promise.all(
    // a listener whose name does not resolve here cannot be reached from here either
    named.map(({ host }) => input.lookup(host).catch(() => [])),
  );
  return new Set(found.flat().map((address) => ipaddr.parse(address).toString()));
}

function plainName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
