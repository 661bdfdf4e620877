import { createHash } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { SecuError } from '../../domain/errors.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { SECURITY } from '../shared.ts';
import type { Role } from './authenticate.ts';
import { requireRole } from './authenticate.ts';

const MAX_ROUTE_CHARACTERS = 250;
const KEY = /^[\x21-\x7e]{1,255}$/;
/** Fields that only the first answer contains. */
const ONCE_ONLY = new Set(['value', 'signingSecret']);

/** Method and path; the hash of a path that is longer than its column allows. */
function routeKey({ method, path }: { method: string; path: string }): string {
  const route = `${method} ${path}`;
  return route.length <= MAX_ROUTE_CHARACTERS
    ? route
    : `${method} sha256:${createHash('sha256').update(path).digest('hex')}`;
}

/** Settings shared by all routes that require a role and accept an `Idempotency-Key`. */
export function forRoleIdempotent(role: Role, deps: ApiDeps) {
  return { middleware: [requireRole(role), idempotent(deps)], security: SECURITY };
}

/**
 * `Idempotency-Key`: a repeated request returns the same status and resource without acting again.
 * @throws SecuError `idempotency_key_reused` | `idempotency_in_progress` | `invalid_request`
 */
function idempotent({
  database,
  hashBody,
  now,
}: Pick<ApiDeps, 'database' | 'hashBody' | 'now'>): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const key = c.req.header('Idempotency-Key');
    if (key === undefined) return next();
    if (!KEY.test(key))
      throw new SecuError(
        'invalid_request',
        'Idempotency-Key: must be 1 to 255 printable characters without spaces',
      );
    const id = { principal: c.get('principal').id, route: routeKey(c.req), key };
    const bodyHash = hashBody(await c.req.text());
    const before = await database.stores.idempotency.claim({ ...id, bodyHash, now: now() });
    if (before !== null) {
      if (before.bodyHash !== bodyHash) {
        throw new SecuError('idempotency_key_reused', 'this key was used with another body; use a new key');
      }
      if (before.status === null)
        throw new SecuError(
          'idempotency_in_progress',
          'the first request with this key is still in progress',
        );
      return c.json(
        before.response,
        asStatus(before.status),
        before.location === null ? {} : { Location: before.location },
      );
    }
    try {
      await next();
    } finally {
      if (!c.res.ok || c.error !== undefined) await database.stores.idempotency.release(id);
    }
    if (!c.res.ok || c.error !== undefined) return;
    const response: unknown = await c.res.clone().json();
    await database.stores.idempotency.complete({
      ...id,
      status: c.res.status,
      response: withoutOnceOnly(response),
      location: c.res.headers.get('Location'),
    });
  };
}

function asStatus(status: number): ContentfulStatusCode {
  return status === 201 ? 201 : status === 202 ? 202 : 200;
}

function withoutOnceOnly(response: unknown): unknown {
  if (typeof response !== 'object' || response === null) return response;
  return Object.fromEntries(Object.entries(response).filter(([name]) => !ONCE_ONLY.has(name)));
}
