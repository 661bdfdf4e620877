import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import ipaddr from 'ipaddr.js';
import type { Dispatcher } from 'undici';
import { Agent, buildConnector, ProxyAgent } from 'undici';
import { SecuError } from '../domain/errors.ts';
import type { Listener } from './address-rules.ts';
import { createAddressRules } from './address-rules.ts';
import { addressesOfOwnListeners, isNameOfOwnListener } from './own-listeners.ts';
import { createProxyBypass } from './proxy-bypass.ts';

const CONNECT_TIMEOUT_MS = 10_000;

export interface OutboundOptions {
  /** Base URLs that integrations may use. Plain HTTP only for URLs that are listed with it. */
  origins: readonly string[];
  /** Private or loopback CIDRs to which these hosts may resolve. */
  allowedNetworks: readonly string[];
  /** Addresses where Secu itself listens; they are never allowed as a target. */
  ownListeners: readonly Listener[];
  /** PEM roots in addition to those of Node. */
  caPem?: string | undefined;
  proxyUrl?: string | undefined;
  /** Hosts that bypass the proxy: comma-separated names, `.suffix`, `*`, addresses, CIDRs. */
  noProxy?: string | undefined;
  /** Resolves a name to all its addresses; by default with the system's resolver. */
  lookup?: (host: string) => Promise<string[]>;
}

/**
 * The rules for every outgoing connection to a user-supplied address: allowed origins, addresses and root
 * certificates. An address is checked at connect time, so a name that changes its address afterwards gains
 * nothing.
 */
export interface OutboundPolicy {
  /** How certificates are verified. */
  readonly tls: Readonly<TlsOptions>;
  /** @throws SecuError `origin_not_allowed` */
  check(baseUrl: string): URL;
  /**
   * All addresses of a host, each checked. A host that is itself an address, in any notation, is checked too.
   * @throws SecuError `origin_not_allowed` if one is refused; system errors of DNS unchanged
   */
  resolve(input: { host: string; port: number }): Promise<string[]>;
  /** Connects only to checked addresses, with the roots of this policy, through the proxy if one is set. */
  dispatcherFor(url: URL): Dispatcher;
  /**
   * The same with its own connections, for a request that must not fail because the server closes an idle
   * connection. The caller closes it.
   */
  freshDispatcherFor(url: URL): Dispatcher;
  /**
   * `host:port:address[,address]` for git's `http.curloptResolve`, or `null` if nothing can be pinned (the host is
   * an address, or a proxy resolves it).
   * @throws as `check` and `resolve`
   */
  pinFor(url: string): Promise<string | null>;
  /** The proxy for this URL, for git's `http.proxy`; `null` = direct. */
  proxyFor(url: URL): string | null;
  close(): Promise<void>;
}

/** @throws SecuError `invalid_settings` */
export function createOutboundPolicy(options: OutboundOptions): OutboundPolicy {
  const { proxyUrl, lookup = lookupAll } = options;
  const listed = options.origins.map((origin) => new URL(origin));
  const bypassesProxy = createProxyBypass(options.noProxy ?? '');
  const tls = tlsOptions(options.caPem);

  const { resolve, checkLiteral } = createAddressChecks({ ...options, lookup });
  const newDirect = () => new Agent({ allowH2: false, connect: checkedConnector({ resolve, tls }) });
  const newProxied = (uri: string) => newProxyAgent({ uri, tls });
  const direct = newDirect();
  const proxied = proxyUrl === undefined ? null : newProxied(proxyUrl);
  const goesThroughProxy = (url: URL): boolean => proxied !== null && !bypassesProxy(url);

  return {
    tls,
    check: (baseUrl) => checkedUrl({ baseUrl, listed }),
    resolve,
    dispatcherFor(url) {
      if (proxied === null || !goesThroughProxy(url)) return direct;
      checkLiteral(url);
      return proxied;
    },
    freshDispatcherFor(url) {
      if (proxyUrl === undefined || !goesThroughProxy(url)) return newDirect();
      checkLiteral(url);
      return newProxied(proxyUrl);
    },
    async pinFor(url) {
      const target = checkedUrl({ baseUrl: url, listed });
      if (goesThroughProxy(target)) return null;
      const addresses = await resolve({ host: target.hostname, port: portOf(target) });
      if (isIP(withoutBrackets(target.hostname)) !== 0) return null;
      const list = addresses.map((address) => (isIP(address) === 6 ? `[${address}]` : address));
      return `${target.hostname}:${portOf(target)}:${list.join(',')}`;
    },
    proxyFor: (url) => (goesThroughProxy(url) ? (proxyUrl ?? null) : null),
    async close() {
      await direct.close();
      await proxied?.close();
    },
  };
}

/** Checks of addresses; both throw `origin_not_allowed`. */
function createAddressChecks(
  options: Pick<OutboundOptions, 'allowedNetworks' | 'ownListeners'> & { lookup: typeof lookupAll },
) {
  const { ownListeners, lookup } = options;
  const rules = createAddressRules(options);

  async function resolve({ host, port }: { host: string; port: number }): Promise<string[]> {
    const bare = withoutBrackets(host);
    if (isNameOfOwnListener({ host: bare, port, listeners: ownListeners })) throw addressRefused();
    const addresses = isIP(bare) === 0 ? await lookup(bare) : [bare];
    if (addresses.length === 0 || !addresses.every((address) => rules.allows({ address, port }))) {
      throw addressRefused();
    }
    const own = await addressesOfOwnListeners({ listeners: ownListeners, port, lookup });
    if (addresses.some((address) => own.has(ipaddr.parse(address).toString()))) throw addressRefused();
    return addresses;
  }

  /** A proxy resolves names itself, so only hosts given as addresses are checked here. */
  function checkLiteral(url: URL): void {
    const host = withoutBrackets(url.hostname);
    if (isNameOfOwnListener({ host, port: portOf(url), listeners: ownListeners })) throw addressRefused();
    if (isIP(host) !== 0 && !rules.allows({ address: host, port: portOf(url) })) throw addressRefused();
  }

  return { resolve, checkLiteral };
}

function newProxyAgent({ uri, tls }: { uri: string; tls: TlsOptions }): ProxyAgent {
  return new ProxyAgent({
    uri,
    allowH2: false,
    requestTls: tls,
    proxyTls: tls,
    connectTimeout: CONNECT_TIMEOUT_MS,
  });
}

/**
 * The parsed base URL, if a listed URL covers it: one with a path covers what is below it, one without a path covers
 * its whole origin. @throws SecuError `origin_not_allowed`
 */
function checkedUrl({ baseUrl, listed }: { baseUrl: string; listed: readonly URL[] }): URL {
  const url = URL.parse(baseUrl);
  const isPlain =
    url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  const isListed = (base: URL): boolean =>
    base.origin === url?.origin &&
    `${withoutSlash(url.pathname)}/`.startsWith(`${withoutSlash(base.pathname)}/`);
  if (url === null || !isPlain || !/^https?:$/.test(url.protocol) || !listed.some(isListed)) {
    throw new SecuError('origin_not_allowed', 'this address is not among those that integrations may name', {
      details: url === null ? {} : { origin: url.origin },
    });
  }
  return url;
}

function checkedConnector({
  resolve,
  tls,
}: {
  resolve: OutboundPolicy['resolve'];
  tls: TlsOptions;
}): buildConnector.connector {
  return (options, callback) => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    resolve({ host: options.hostname, port }).then(
      (addresses) => {
        const connect = buildConnector({
          ...tls,
          allowH2: false,
          timeout: CONNECT_TIMEOUT_MS,
          lookup: pinned(addresses),
        });
        connect(options, callback);
      },
      (err: unknown) => callback(err as Error, null),
    );
  };
}

/** A DNS lookup that returns the checked addresses, even if the name resolves differently a moment later. */
function pinned(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, callback) => {
    const [first] = entries;
    if (first === undefined) callback(new Error('no address'), '', 0);
    else if (options.all === true) callback(null, entries);
    else callback(null, first.address, first.family);
  };
}

interface TlsOptions {
  ca?: string[];
  rejectUnauthorized: true;
}

/** `rejectUnauthorized` is set explicitly, so that no environment variable can disable the check. */
function tlsOptions(caPem: string | undefined): TlsOptions {
  if (caPem === undefined) return { rejectUnauthorized: true };
  return { ca: [...getCACertificates('default'), caPem], rejectUnauthorized: true };
}

function addressRefused(): SecuError {
  return new SecuError(
    'origin_not_allowed',
    'the address that this host resolves to may not be connected to',
    {
      details: { problem: 'address_refused' },
    },
  );
}

async function lookupAll(host: string): Promise<string[]> {
  const entries = await systemLookup(host, { all: true, order: 'verbatim' });
  return entries.map((entry) => entry.address);
}

function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '');
}
