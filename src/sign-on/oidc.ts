import * as oidc from 'openid-client';
import { isSecuError, SecuError } from '../domain/errors.ts';
import type { SignedOn, SignOn } from '../domain/ports.ts';
import type { UserRole } from '../domain/user.ts';
import { roleOfGroups } from '../domain/user.ts';
import type { Log } from '../log/logger.ts';
import { groupsOf, nameOf } from './claims.ts';

export interface OidcOptions {
  issuer: string;
  clientId: string;
  /** `null` for a public client, which only PKCE protects. */
  clientSecret: string | null;
  roleClaim: string;
  roleMap: Readonly<Record<string, UserRole>>;
  /** The callback URL, registered at the provider. */
  redirectUri: string;
  /** `fetch` with the roots, proxy and limits for the provider. @throws SecuError `sign_on_unavailable` */
  fetch: oidc.CustomFetch;
  /** Closes the connections of `fetch`. */
  close: () => Promise<void>;
  log: Log;
}

const TIMEOUT_SECONDS = 10;
/** How long the provider's metadata is cached; the library itself refreshes signing keys. */
const METADATA_CACHE_MS = 3_600_000;

/**
 * Single sign-on with OpenID Connect: authorization code with PKCE, state and nonce; issuer, audience, times and the
 * signature of the ID token are checked.
 * @see OpenID Connect Core 1.0; RFC 9700 (best current practice for OAuth 2.0)
 */
export function createOidcSignOn(options: OidcOptions): SignOn {
  const discovered = createDiscovery(options);

  return {
    close: options.close,
    async begin() {
      const config = await discovered();
      const memory = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
      };
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: options.redirectUri,
        response_type: 'code',
        scope: scopeOf(config),
        state: memory.state,
        nonce: memory.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(memory.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, memory };
    },

    async finish({ query, memory }) {
      const config = await discovered();
      const back = new URL(options.redirectUri);
      back.search = query.toString();
      try {
        const tokens = await oidc.authorizationCodeGrant(config, back, {
          expectedState: memory.state,
          expectedNonce: memory.nonce,
          pkceCodeVerifier: memory.verifier,
          idTokenExpected: true,
        });
        return await signedOn({ options, config, tokens });
      } catch (err) {
        throw refusedOr(err, options.log);
      }
    },
  };
}

async function signedOn({
  options,
  config,
  tokens,
}: {
  options: OidcOptions;
  config: oidc.Configuration;
  tokens: Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;
}): Promise<SignedOn> {
  const claims = tokens.claims();
  if (claims === undefined) throw new SecuError('unauthenticated', 'the provider sent no ID token');
  const { roleClaim, roleMap } = options;
  const inToken = groupsOf(claims, roleClaim);
  const readsUserInfo = inToken === null && config.serverMetadata().userinfo_endpoint !== undefined;
  const info = readsUserInfo ? await oidc.fetchUserInfo(config, tokens.access_token, claims.sub) : {};
  const groups = inToken ?? groupsOf(info, roleClaim) ?? [];
  return {
    issuer: claims.iss,
    subject: claims.sub,
    name: nameOf({ ...info, ...claims }),
    role: roleOfGroups({ groups, roleMap }),
  };
}

/** Discovers the provider once and caches the result; a failure is not cached. */
function createDiscovery(options: OidcOptions): () => Promise<oidc.Configuration> {
  let cached: { config: Promise<oidc.Configuration>; untilMs: number } | null = null;
  return async () => {
    if (cached === null || cached.untilMs < performance.now())
      cached = { config: discover(options), untilMs: performance.now() + METADATA_CACHE_MS };
    const { config } = cached;
    try {
      return await config;
    } catch (err) {
      cached = null;
      const message = `the provider ${options.issuer} has no valid discovery document`;
      throw unavailableIn(err) ?? new SecuError('sign_on_unavailable', message, { cause: err });
    }
  };
}

async function discover(options: OidcOptions): Promise<oidc.Configuration> {
  const issuer = new URL(options.issuer);
  const execute = [
    oidc.enableNonRepudiationChecks,
    ...(issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
  ];
  const discoveryOptions = { [oidc.customFetch]: options.fetch, timeout: TIMEOUT_SECONDS, execute };
  const { clientId, clientSecret } = options;
  if (clientSecret === null)
    return oidc.discovery(issuer, clientId, undefined, oidc.None(), discoveryOptions);
  const authentication: oidc.ClientAuth = (as, client, body, headers) => {
    const methods = as.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const authenticate = methods.includes('client_secret_basic')
      ? oidc.ClientSecretBasic
      : oidc.ClientSecretPost;
    authenticate(clientSecret)(as, client, body, headers);
  };
  return oidc.discovery(issuer, clientId, undefined, authentication, discoveryOptions);
}

/** `groups` is not a standard scope: readsUserInfo only when the provider announces it. */
function scopeOf(config: oidc.Configuration): string {
  const offered = config.serverMetadata().scopes_supported ?? [];
  return ['openid', 'profile', 'email', ...(offered.includes('groups') ? ['groups'] : [])].join(' ');
}

/** Every bad answer gives the person the same error; the log has the reason. */
function refusedOr(err: unknown, log: Log): SecuError {
  const unavailable = unavailableIn(err);
  if (unavailable !== null) return unavailable;
  if (isSecuError(err)) return err;
  log.warn({ err }, 'the answer of the provider of single sign-on was refused');
  return new SecuError('unauthenticated', 'the provider did not confirm this sign-in; start again', {
    cause: err,
  });
}

/** Finds our own error, which the library wraps. */
function unavailableIn(err: unknown): SecuError | null {
  if (isSecuError(err)) return err.code === 'sign_on_unavailable' ? err : null;
  if (typeof err !== 'object' || err === null || !('cause' in err)) {
    return null;
  }
  if ('code' in err && err.code === 'OAUTH_TIMEOUT')
    return new SecuError('sign_on_unavailable', 'the provider of single sign-on is slow', { cause: err });
  return unavailableIn(err.cause);
}
