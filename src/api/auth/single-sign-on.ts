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

/** The time limit for the sign-in at the provider. */
const MAX_SIGN_ON_SECONDS = 600;
/** State, nonce, verifier and the encoded path to return to. */
const COOKIE_VALUE = /^([\w-]{20,100})\.([\w-]{20,100})\.([\w-]{20,100})\.([\w-]+)$/;

/** Sign-in at the OpenID Connect provider: the browser goes there and returns to the callback. */
export function createSingleSignOnRouter(deps: ApiDeps) {
  const { settings } = deps;
  // the provider redirects from another site, for which a `Strict` cookie would not be sent
  const cookieOptions = {
    httpOnly: true,
    sameSite: 'Lax',
    path: '/',
    secure: isHttps(settings.publicUrl),
    maxAge: MAX_SIGN_ON_SECONDS,
  } as const;
  const signOnCookie = cookieName('secu-sign-on', settings);

  return createRouter()
    .openapi(oidcStart, async (c) => {
      refuseHead(c);
      const { next } = c.req.valid('query');
      const { url, memory } = await signOnOf(deps).begin();
      setCookie(c, signOnCookie, cookieValueOf(memory, next), cookieOptions);
      return c.redirect(url, 302);
    })
    .openapi(oidcCallback, async (c) => {
      refuseHead(c);
      const signOn = signOnOf(deps);
      const started = parseCookieValue(readCookie(c, signOnCookie));
      deleteCookie(c, signOnCookie, cookieOptions);
      try {
        return c.redirect(await finishSignOn({ deps, c, signOn, started }), 302);
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
  started: StartedSignOn | null;
}): Promise<string> {
  const { deps, c, signOn, started } = input;
  if (started === null)
    throw new SecuError(
      'unauthenticated',
      'this sign-in was not started in this browser, or it took too long',
    );
  const counted = await countTry(deps, { address: c.get('address'), username: null });
  const query = new URL(c.req.url).searchParams;
  const person = await signOn.finish({ query, memory: started.memory });
  const session = await signOnAs(deps, visitorOf(c, deps.settings), person);
  await counted.succeeded();
  setSessionCookie(c, deps.settings, session.token);
  return started.next;
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

function cookieValueOf({ state, nonce, verifier }: SignOnMemory, next: string): string {
  return [state, nonce, verifier, Buffer.from(next).toString('base64url')].join('.');
}

/** What the cookie holds of a sign-in that this browser started. */
interface StartedSignOn {
  memory: SignOnMemory;
  next: string;
}

function parseCookieValue(value: string | null): StartedSignOn | null {
  const [, state, nonce, verifier, encodedNext] = COOKIE_VALUE.exec(value ?? '') ?? [];
  if (state === undefined || nonce === undefined || verifier === undefined || encodedNext === undefined)
    return null;
  const { next } =
    OidcStartQuery.safeParse({ next: Buffer.from(encodedNext, 'base64url').toString() }).data ?? {};
  return { memory: { state, nonce, verifier }, next: next ?? '/' };
}

/** Hono answers HEAD by the GET handler, which here would use up a sign-in. @throws SecuError `method_not_allowed` */
function refuseHead(c: Context<ApiEnv>): void {
  if (c.req.method !== 'HEAD') return;
  c.header('Allow', 'GET');
  throw new SecuError('method_not_allowed', 'this path allows GET');
}
