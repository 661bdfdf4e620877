import type { Context } from 'hono';
import { SecuError } from '../../domain/errors.ts';
import type { ApiEnv } from '../deps.ts';

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** The site that sent the request, as the browser reports it. `unknown`: not a browser, or one older than 2020. */
function requestingSite({
  c,
  publicUrl,
}: {
  c: Context<ApiEnv>;
  publicUrl: string;
}): 'own' | 'foreign' | 'unknown' {
  const site = c.req.header('Sec-Fetch-Site');
  const origin = c.req.header('Origin');
  if (site === undefined && origin === undefined) return 'unknown';
  const isOwn =
    (site === undefined || site === 'same-origin') &&
    (origin === undefined || origin.toLowerCase() === dashboardOrigin({ c, publicUrl }));
  return isOwn ? 'own' : 'foreign';
}

/** The origin of the dashboard, for the host of this request, which is already checked. */
function dashboardOrigin({ c, publicUrl }: { c: Context<ApiEnv>; publicUrl: string }): string {
  const host = (c.req.header('Host') ?? '').toLowerCase();
  const known = new URL(publicUrl);
  return host === known.host ? known.origin : `http://${host}`;
}

/**
 * A request that changes something with a session cookie must come from the dashboard, and its headers must show that.
 * @throws SecuError `forbidden`
 */
export function requireOwnPage(input: { c: Context<ApiEnv>; publicUrl: string }): void {
  if (SAFE_METHODS.includes(input.c.req.method) || requestingSite(input) === 'own') return;
  throw new SecuError(
    'forbidden',
    'with a session cookie, changes are only accepted from the Secu dashboard: Origin or Sec-Fetch-Site is missing or names another site',
  );
}

/**
 * Refuses sign-ins that another site starts (login CSRF).
 * @throws SecuError `forbidden`
 */
export function refuseForeignPage(input: { c: Context<ApiEnv>; publicUrl: string }): void {
  if (requestingSite(input) !== 'foreign') return;
  throw new SecuError('forbidden', 'sign-in requests from another site are not accepted');
}
