import { isIP } from 'node:net';
import { isSecuError, SecuError } from '../domain/errors.ts';
import { createAddressRules } from '../outbound/address-rules.ts';
import type { OutboundPolicy } from '../outbound/policy.ts';

const DNS_TIMEOUT_MS = 3_000;

/**
 * Checks in advance whether a channel may send to this origin; each connection is checked again. A host name that does not
 * resolve now is accepted, because a worker sends the messages, and DNS may recover.
 * @throws SecuError `origin_not_allowed`
 */
export function createChannelOriginCheck({
  policy,
}: {
  policy: Pick<OutboundPolicy, 'resolve' | 'proxyFor'>;
}): (origin: string) => Promise<void> {
  const publicOnly = createAddressRules({ allowedNetworks: [], ownListeners: [] });
  return async (origin) => {
    const url = new URL(origin);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // with a proxy, the proxy resolves host names
    if (policy.proxyFor(url) !== null && isIP(host) === 0) return;
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    const addresses = await addressesOf({ policy, host, port });
    if (url.protocol === 'http:' && addresses.some((address) => publicOnly.allows({ address, port })))
      throw new SecuError(
        'origin_not_allowed',
        'url: plain http is allowed only for private networks; use https://',
      );
  };
}

async function addressesOf(input: {
  policy: Pick<OutboundPolicy, 'resolve'>;
  host: string;
  port: number;
}): Promise<string[]> {
  const { policy, host, port } = input;
  const timeout = new Promise<string[]>((resolve) => setTimeout(resolve, DNS_TIMEOUT_MS, []).unref());
  try {
    return await Promise.race([policy.resolve({ host, port }), timeout]);
  } catch (err) {
    if (!isSecuError(err, 'origin_not_allowed')) return [];
    const network = isIP(host) === 0 ? '10.20.0.0/16' : `${host}/${isIP(host) === 4 ? 32 : 128}`;
    const setting = `SECU_WEBHOOK_NETWORKS=${network}`;
    throw new SecuError(
      'origin_not_allowed',
      `url: this host resolves to an address that is not allowed; if its network is yours, set ${setting}`,
      { details: { settings: [setting] } },
    );
  }
}
