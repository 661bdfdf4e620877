import type { SignOn } from '../domain/ports.ts';
import { createOutboundPolicy } from '../outbound/policy.ts';
import { createOidcSignOn } from '../sign-on/oidc.ts';
import { createSignOnFetch } from '../sign-on/outbound.ts';
import type { World } from './world.ts';

/** Whoever sets the settings names the provider, and it is often inside: link-local addresses stay closed. */
const ANYWHERE = ['0.0.0.0/0', '::/0'];

/** Single sign-on of this installation, with its own roots and proxy; `null` where none is set. */
export function openSignOn({ config, log }: Pick<World, 'config' | 'log'>): SignOn | null {
  if (config.oidc === null) return null;
  const { clientSecret, ...oidc } = config.oidc;
  const { caPem, proxyUrl, noProxy } = config.network;
  const policy = createOutboundPolicy({
    origins: [oidc.issuer],
    allowedNetworks: ANYWHERE,
    ownListeners: [],
    caPem: caPem ?? undefined,
    proxyUrl: proxyUrl?.value(),
    noProxy: noProxy.join(','),
  });
  return createOidcSignOn({
    ...oidc,
    clientSecret: clientSecret?.value() ?? null,
    redirectUri: `${config.http.publicUrl}/api/v1/auth/oidc/callback`,
    fetch: createSignOnFetch({ dispatcherFor: (url) => policy.dispatcherFor(url) }),
    close: () => policy.close(),
    log,
  });
}
