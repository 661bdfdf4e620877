import type { MiddlewareHandler } from 'hono';
import { ulid } from 'ulid';
import { SecuError } from '../../domain/errors.ts';
import type { Log } from '../../log/logger.ts';
import type { ApiEnv } from '../deps.ts';
import { problemResponse } from '../errors.ts';

const REQUEST_ID = /^[\w.:-]{1,100}$/;

/** A request id on every answer, one log line per request, and headers that leave a browser nothing to guess. */
export function requestScope({ log, https }: { log: Log; https: boolean }): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const given = c.req.header('X-Request-Id') ?? '';
    const requestId = REQUEST_ID.test(given) ? given : ulid();
    c.set('requestId', requestId);
    const startedMs = performance.now();
    await next();
    c.header('X-Request-Id', requestId);
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('X-Frame-Options', 'DENY');
    c.header('Referrer-Policy', 'no-referrer');
    if (c.res.headers.get('Content-Security-Policy') === null)
      c.header('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
    if (c.res.headers.get('Cache-Control') === null) c.header('Cache-Control', 'no-store');
    if (https) c.header('Strict-Transport-Security', 'max-age=31536000');
    log.info(
      {
        requestId,
        method: c.req.method,
        path: c.req.path,
        status: c.res.status,
        durationMs: Math.round(performance.now() - startedMs),
        principal: c.get('principal')?.id,
      },
      'request',
    );
  };
}

/** A request for another host is not ours (DNS rebinding, a proxy gone astray). Health checks name any host. */
export function hostCheck({ hosts, log }: { hosts: readonly string[]; log: Log }): MiddlewareHandler<ApiEnv> {
  const known = new Set(hosts.map((host) => host.toLowerCase()));
  return async (c, next) => {
    const host = (c.req.header('Host') ?? '').toLowerCase();
    if (known.has(host) || c.req.path === '/healthz' || c.req.path === '/readyz') return next();
    const detail = `this is not ${host === '' ? 'the host of an empty name' : host}; set SECU_PUBLIC_URL to the address that people use`;
    return problemResponse({ c, err: new SecuError('misdirected_request', detail), log });
  };
}

/** Bodies are JSON and nothing else. */
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
