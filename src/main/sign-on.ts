import type { SignOn } from '../domain/ports.ts';
import { createOutboundPolicy } from '../outbound/policy.ts';
import { createOidcSignOn } from '../sign-on/oidc.ts';
import { createSignOnFetch } from '../sign-on/outbound.ts';
import type { ProcessContext } from './process-context.ts';

/** The provider comes from the settings and is often in a private network. Link-local addresses stay refused. */
const ALL_NETWORKS = ['0.0.0.0/0', '::/0'];

/** Single sign-on of this installation, with its root certificates and proxy; `null` if it is not configured. */
export function openSignOn({ config, log }: Pick<ProcessContext, 'config' | 'log'>): SignOn | null {
  if (config.oidc === null) return null;
  const { clientSecret, ...oidc } = config.oidc;
  const { caPem, proxyUrl, noProxy } = config.network;
  const policy = createOutboundPolicy({
    origins: [oidc.issuer],
    allowedNetworks: ALL_NETWORKS,
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
