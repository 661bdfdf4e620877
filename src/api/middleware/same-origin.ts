import type { Context } from 'hono';
import { SecuError } from '../../domain/errors.ts';
import type { ApiEnv } from '../deps.ts';

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** What a browser says of where a request comes from. `unsaid`: it is none, or one from before 2020. */
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

/** The origin of our own pages at the host that this request names, which was checked before. */
function originAsked({ c, publicUrl }: { c: Context<ApiEnv>; publicUrl: string }): string {
  const host = (c.req.header('Host') ?? '').toLowerCase();
  const known = new URL(publicUrl);
  return host === known.host ? known.origin : `http://${host}`;
}

/**
 * A request that changes something by the cookie of a session has to come from a page of ours, and say so.
 * @throws SecuError `forbidden`
 */
export function requireOwnPage(input: { c: Context<ApiEnv>; publicUrl: string }): void {
  if (SAFE_METHODS.includes(input.c.req.method) || provenance(input) === 'own') return;
  throw new SecuError(
    'forbidden',
    'a session may change things only from the pages of Secu itself: Origin or Sec-Fetch-Site says otherwise, or is missing',
  );
}

/**
 * No other site may sign somebody in here.
 * @throws SecuError `forbidden`
 */
export function refuseForeignPage(input: { c: Context<ApiEnv>; publicUrl: string }): void {
  if (provenance(input) !== 'foreign') return;
  throw new SecuError('forbidden', 'the pages of another site may not sign anybody in');
}
