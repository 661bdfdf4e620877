import type { Context } from 'hono';
import { SecuError } from '../../domain/errors.ts';
import type { ApiEnv } from '../deps.ts';

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** Where a browser says the request comes from. `unsaid`: not a browser, or one older than 2020. */
function provenance({
  c,
  publicUrl,
}: {
  c: Context<ApiEnv>;
  publicUrl: string;
}): 'own' | 'foreign' | 'unsaid' {
  const site = c.req.header('Sec-Fetch-Site');
  const origin = c.req.header('Origin');
  if (site === undefined && origin === undefined) return 'unsaid';
  const isOwn =
    (site === undefined || site === 'same-origin') &&
    (origin === undefined || origin.toLowerCase() === originAsked({ c, publicUrl }));
  return isOwn ? 'own' : 'foreign';
}

/** The origin of the dashboard at the (already checked) host of this request. */
function originAsked({ c, publicUrl }: { c: Context<ApiEnv>; publicUrl: string }): string {
  const host = (c.req.header('Host') ?? '').toLowerCase();
  const known = new URL(publicUrl);
  return host === known.host ? known.origin : `http://${host}`;
}

/**
 * A request that changes something with a session cookie must come from the dashboard, and say so.
 * @throws SecuError `forbidden`
 */
export function requireOwnPage(input: { c: Context<ApiEnv>; publicUrl: string }): void {
  if (SAFE_METHODS.includes(input.c.req.method) || provenance(input) === 'own') return;
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
  if (provenance(input) !== 'foreign') return;
  throw new SecuError('forbidden', 'sign-in requests from another site are not accepted');
}
