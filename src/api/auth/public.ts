import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { isSecuError, SecuError } from '../../domain/errors.ts';
import type { SignOn, SignOnMemory } from '../../domain/ports.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { refuseForeignPage } from '../middleware/same-origin.ts';
import {
  cookieName,
  isHttps,
  readCookie,
  sessionHashOf,
  setSessionCookie,
} from '../middleware/session-cookie.ts';
import { answers, createRoute, createRouter, jsonBody, problemAnswers } from '../shared.ts';
import { presentMe } from './me.ts';
import { MeSchema, OidcStartQuery, SetupRequest, SignInOptionsSchema, SignInRequest } from './schemas.ts';
import type { Begun, Visitor } from './sign-in.ts';
import { setUp, signIn, signOnAs } from './sign-in.ts';
import { countTry } from './throttle.ts';

const tags = ['Sign-in'];
const redirect = { 302: { description: 'Redirect to another page' } };

const options = createRoute({
  tags,
  method: 'get',
  path: '/auth/options',
  summary: 'How people can sign in: whether an account exists, and whether single sign-on is set up',
  responses: answers(200, SignInOptionsSchema, 'Sign-in options'),
});

const setup = createRoute({
  tags,
  method: 'post',
  path: '/auth/setup',
  summary: 'Create the first administrator with the one-time code from the log, and sign in',
  request: jsonBody(SetupRequest),
  responses: answers(201, MeSchema, 'Created and signed in', [409, 429]),
});

const start = createRoute({
  tags,
  method: 'post',
  path: '/auth/sign-in',
  summary: 'Sign in; the answer sets the session cookie',
  request: jsonBody(SignInRequest),
  responses: answers(200, MeSchema, 'Signed in', [429]),
});

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

/** Routes without authentication: sign-in options, sign-in and setup. */
export function createPublicAuthRouter(deps: ApiDeps) {
  const { settings } = deps;
  const { publicUrl } = settings;
  // the provider redirects from another site, for which a `Strict` cookie would not be sent
  const memoryCookie = {
    httpOnly: true,
    sameSite: 'Lax',
    path: '/',
    secure: isHttps(publicUrl),
    maxAge: MEMORY_SECONDS,
  } as const;
  const memoryName = cookieName('secu-sign-on', settings);

  const visitor = (c: Context<ApiEnv>): Visitor => ({
    requestId: c.get('requestId'),
    address: c.get('address'),
    formerSessionHash: sessionHashOf(c, settings),
  });

  async function welcome(c: Context<ApiEnv>, begun: Begun) {
    setSessionCookie(c, settings, begun.token);
    return presentMe(deps, { kind: 'user', id: begun.userId, sessionId: begun.sessionId });
  }

  return createRouter()
    .openapi(options, async (c) => {
      const setupOpen = !(await deps.database.stores.users.hasAdministrator());
      return c.json({ setup: setupOpen, singleSignOn: deps.signOn !== null }, 200);
    })
    .openapi(setup, async (c) => {
      refuseForeignPage({ c, publicUrl });
      return c.json(await welcome(c, await setUp(deps, visitor(c), c.req.valid('json'))), 201);
    })
    .openapi(start, async (c) => {
      refuseForeignPage({ c, publicUrl });
      return c.json(await welcome(c, await signIn(deps, visitor(c), c.req.valid('json'))), 200);
    })
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
        return c.redirect(await finish(c, signOn, recalled), 302);
      } catch (err) {
        if (!showsPages(c) || !isSecuError(err)) throw err;
        deps.log.warn({ requestId: c.get('requestId'), code: err.code, err }, 'single sign-on failed');
        return c.redirect(`/sign-in?failed=${err.code}`, 302);
      }
    });

  /** Starts the session. @returns the path to redirect to */
  async function finish(c: Context<ApiEnv>, signOn: SignOn, recalled: Recalled | null): Promise<string> {
    if (recalled === null)
      throw new SecuError(
        'unauthenticated',
        'this sign-in was not started in this browser, or it took too long',
      );
    const counted = await countTry(deps, { address: c.get('address'), username: null });
    const query = new URL(c.req.url).searchParams;
    const person = await signOn.finish({ query, memory: recalled.memory });
    const begun = await signOnAs(deps, visitor(c), person);
    await counted.succeeded();
    setSessionCookie(c, settings, begun.token);
    return recalled.next;
  }
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
