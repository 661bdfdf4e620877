import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { isSecuError, SecuError } from '../../domain/errors.ts';
import type { SignOn, SignOnMemory } from '../../domain/ports.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { cookieName, isHttps, readCookie, setSessionCookie } from '../middleware/session-cookie.ts';
import { createRoute, createRouter, problemAnswers } from '../shared.ts';
import { OidcStartQuery } from './schemas.ts';
import { signOnAs } from './sign-in.ts';
import { countTry } from './throttle.ts';
import { visitorOf } from './visitor.ts';

const tags = ['Sign-in'];
const redirect = { 302: { description: 'Redirect to another page' } };

const oidcStart = createRoute({
  tags,
  method: 'get',
  path: '/auth/oidc/start',
  summary: 'Redirect the browser to the single sign-on provider',
  request: { query: OidcStartQuery },
  responses: { ...redirect, ...problemAnswers([400, 404, 503]) },
});

const oidcCallback = createRoute({
  tags,
  method: 'get',
  path: '/auth/oidc/callback',
  summary: 'Callback of the single sign-on provider; starts a session',
  responses: { ...redirect, ...problemAnswers([400, 401, 403, 404, 429, 503]) },
});

/** How long a person may take to sign in at the provider. */
const MEMORY_SECONDS = 600;
const MEMORY = /^([\w-]{20,100})\.([\w-]{20,100})\.([\w-]{20,100})\.([\w-]+)$/;

/** Sign-in at the OpenID Connect provider: the browser goes there and returns to the callback. */
export function createSingleSignOnRouter(deps: ApiDeps) {
  const { settings } = deps;
  // the provider redirects from another site, for which a `Strict` cookie would not be sent
  const memoryCookie = {
    httpOnly: true,
    sameSite: 'Lax',
    path: '/',
    secure: isHttps(settings.publicUrl),
    maxAge: MEMORY_SECONDS,
  } as const;
  const memoryName = cookieName('secu-sign-on', settings);

  return createRouter()
    .openapi(oidcStart, async (c) => {
      refuseHead(c);
      const { next } = c.req.valid('query');
      const { url, memory } = await signOnOf(deps).begin();
      setCookie(c, memoryName, remembered(memory, next), memoryCookie);
      return c.redirect(url, 302);
    })
    .openapi(oidcCallback, async (c) => {
      refuseHead(c);
      const signOn = signOnOf(deps);
      const recalled = recall(readCookie(c, memoryName));
      deleteCookie(c, memoryName, memoryCookie);
      try {
        return c.redirect(await finishSignOn({ deps, c, signOn, recalled }), 302);
      } catch (err) {
        if (!showsPages(c) || !isSecuError(err)) throw err;
        deps.log.warn({ requestId: c.get('requestId'), code: err.code, err }, 'single sign-on failed');
        return c.redirect(`/sign-in?failed=${err.code}`, 302);
      }
    });
}

/** Starts the session. @returns the path to redirect to */
async function finishSignOn(input: {
  deps: ApiDeps;
  c: Context<ApiEnv>;
  signOn: SignOn;
  recalled: Recalled | null;
}): Promise<string> {
  const { deps, c, signOn, recalled } = input;
  if (recalled === null)
    throw new SecuError(
      'unauthenticated',
      'this sign-in was not started in this browser, or it took too long',
    );
  const counted = await countTry(deps, { address: c.get('address'), username: null });
  const query = new URL(c.req.url).searchParams;
  const person = await signOn.finish({ query, memory: recalled.memory });
  const begun = await signOnAs(deps, visitorOf(c, deps.settings), person);
  await counted.succeeded();
  setSessionCookie(c, deps.settings, begun.token);
  return recalled.next;
}

/** Redirects to the sign-in page with the error: a browser cannot show a JSON problem. */
function showsPages(c: Context<ApiEnv>): boolean {
  return (c.req.header('Accept') ?? '').includes('text/html');
}

/** @throws SecuError `not_found` */
function signOnOf({ signOn }: ApiDeps): SignOn {
  if (signOn === null) throw new SecuError('not_found', 'single sign-on is not set up; see SECU_OIDC_ISSUER');
  return signOn;
}

function remembered({ state, nonce, verifier }: SignOnMemory, next: string): string {
  return [state, nonce, verifier, Buffer.from(next).toString('base64url')].join('.');
}

interface Recalled {
  memory: SignOnMemory;
  next: string;
}

function recall(value: string | null): Recalled | null {
  const [, state, nonce, verifier, coded] = MEMORY.exec(value ?? '') ?? [];
  if (state === undefined || nonce === undefined || verifier === undefined || coded === undefined)
    return null;
  const { next } = OidcStartQuery.safeParse({ next: Buffer.from(coded, 'base64url').toString() }).data ?? {};
  return { memory: { state, nonce, verifier }, next: next ?? '/' };
}

/** Hono answers HEAD by the GET handler, which here would use up a sign-in. @throws SecuError `method_not_allowed` */
function refuseHead(c: Context<ApiEnv>): void {
  if (c.req.method !== 'HEAD') return;
  c.header('Allow', 'GET');
  throw new SecuError('method_not_allowed', 'this path allows GET');
}
