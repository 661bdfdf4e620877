import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import { ulid } from 'ulid';
import { SecuError } from '../../domain/errors.ts';
import type { Log } from '../../log/logger.ts';
import type { HttpMetrics } from '../../metrics/http.ts';
import type { ApiEnv } from '../deps.ts';
import { problemResponse } from '../errors.ts';

const REQUEST_ID = /^(?!.*(?:gl[a-z]+-|secu_|whsec_))[\w.:-]{1,100}$/i;
const OWN_ID = /\/([a-z]{3}_[0-9A-HJKMNP-TV-Z]{26})(?=\/|$)/;

/**
 * Adds a request id to every answer, and logs and counts each request. Sets the default content policy, which pages
 * replace by their own, and forbids caching unless a route allows it. A client's own
 * `X-Request-Id` is used when it is short, plain and does not look like a token: it is stored in rows.
 */
export function requestScope({
  log,
  metrics,
}: {
  log: Log;
  metrics: HttpMetrics;
}): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const given = c.req.header('X-Request-Id') ?? '';
    const requestId = REQUEST_ID.test(given) ? given : ulid();
    c.set('requestId', requestId);
    const startedMs = performance.now();
    await log.within({ requestId }, next);
    c.header('X-Request-Id', requestId);
    if (c.res.headers.get('Content-Security-Policy') === null)
      c.header('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
    if (c.res.headers.get('Cache-Control') === null) c.header('Cache-Control', 'no-store');
    const { method, path } = c.req;
    const { status } = c.res;
    const route = routeOf(c);
    const durationMs = Math.round(performance.now() - startedMs);
    metrics.requestEnded({ method, route, status, durationMs });
    // of the path only our own ids are logged: anything else could be a token
    const id = OWN_ID.exec(path)?.[1];
    const principal = c.get('principal')?.id;
    log.info({ requestId, method, route, id, status, durationMs, principal }, 'request');
  };
}

/** Headers that tell browsers not to guess types, frame, leak referrers or share windows. */
export function securityHeaders({ https }: { https: boolean }): MiddlewareHandler {
  return secureHeaders({
    xFrameOptions: 'DENY',
    strictTransportSecurity: https ? 'max-age=31536000' : false,
  });
}

/** The route pattern of the request; `null` when no route matches. */
function routeOf(c: Context<ApiEnv>): string | null {
  return matchedRoutes(c).findLast(({ method }) => method !== 'ALL')?.path ?? null;
}

/** Refuses requests for another host (DNS rebinding, misrouted proxies). Health checks may use any host. */
export function hostCheck({ hosts, log }: { hosts: readonly string[]; log: Log }): MiddlewareHandler<ApiEnv> {
  const known = new Set(hosts.map(canonicalHost));
  return async (c, next) => {
    const host = c.req.header('Host') ?? '';
    if (known.has(canonicalHost(host)) || c.req.path === '/healthz' || c.req.path === '/readyz')
      return next();
    const detail = `this is not ${host === '' ? 'an empty host name' : host}; set SECU_PUBLIC_URL to the address that people use`;
    return problemResponse({ c, err: new SecuError('misdirected_request', detail), log });
  };
}

/**
 * Spellings of one host become equal: case, the trailing dot of a fully qualified name, the default port of http and
 * https (RFC 9110, section 4.2.3). Text that is no host stays as it is.
 */
function canonicalHost(text: string): string {
  const url =
    /^[^/?#@\\\s]+$/.test(text) && URL.canParse(`https://${text}`) ? new URL(`https://${text}`) : null;
  if (url === null) return text;
  const port = url.port === '80' ? '' : url.port;
  return `${url.hostname.replace(/\.$/, '')}${port === '' ? '' : `:${port}`}`;
}

/** Accepts only JSON bodies. */
export function jsonOnly({ log }: { log: Log }): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const hasBody =
      c.req.header('Transfer-Encoding') !== undefined || Number(c.req.header('Content-Length') ?? 0) > 0;
    const type = (c.req.header('Content-Type') ?? '').split(';')[0]?.trim().toLowerCase();
    if (!hasBody || type === 'application/json') return next();
    return problemResponse({
      c,
      err: new SecuError('unsupported_media_type', 'send the body as application/json'),
      log,
    });
  };
}
