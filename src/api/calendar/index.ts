import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { SecuError } from '../../domain/errors.ts';
import type { ApiDeps, ApiEnv, Principal } from '../deps.ts';
import { assertCalendarReader, principalOf, principalOfKey } from '../middleware/authenticate.ts';
import { createRoute, createRouter, problemAnswers, z } from '../shared.ts';
import { calendarFeed } from './feed.ts';

const CACHE = 'private, max-age=900';

const route = createRoute({
  security: [{ apiKey: [] }],
  tags: ['Overview'],
  method: 'get',
  path: '/expiry.ics',
  summary:
    'Calendar of token expiries and coming flags; calendar clients send a key with the role calendar in the URL',
  // calendar clients add parameters of their own, such as one against caches
  request: { query: z.object({ key: z.string().max(300).optional() }) },
  responses: {
    200: { description: 'iCalendar', content: { 'text/calendar': { schema: z.string() } } },
    304: { description: 'Not modified since the given ETag' },
    ...problemAnswers([400, 401, 403, 503]),
  },
});

/** Calendar clients cannot send headers, so the key is in the URL and grants nothing else. */
export function createCalendarRouter(deps: ApiDeps, { hide = false } = {}) {
  return createRouter().openapi({ ...route, hide }, async (c) => {
    c.set('principal', await readerOf(c, deps));
    const body = calendarFeed({
      tokens: await deps.database.stores.overview.expiries(),
      thresholds: deps.settings.expiryThresholds,
      now: deps.now(),
      host: new URL(deps.settings.publicUrl).hostname,
    });
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    c.header('Cache-Control', CACHE);
    c.header('ETag', etag);
    if (c.req.header('If-None-Match') === etag) return c.body(null, 304);
    c.header('Content-Type', 'text/calendar; charset=utf-8');
    c.header('Content-Disposition', 'inline; filename="expiry.ics"');
    return c.body(body, 200);
  });
}

/**
 * The principal: a key with the role `calendar` in the URL, or the usual authentication of a reader.
 * @throws SecuError `unauthenticated` | `forbidden`
 */
async function readerOf(c: Context<ApiEnv>, deps: ApiDeps): Promise<Principal> {
  const key = c.req.query('key');
  const principal = key === undefined ? await principalOf(c, deps) : await principalOfKey(key, deps);
  assertCalendarReader(principal);
  if (key === undefined || principal.role === 'calendar') return principal;
  throw new SecuError(
    'forbidden',
    `only a key with the role calendar may be sent in a URL; "${principal.name}" has the role ${principal.role}`,
  );
}
