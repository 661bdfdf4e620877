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

const tags = ['Signing in'];
const moved = { 302: { description: 'On to another page' } };

const options = createRoute({
  tags,
  method: 'get',
  path: '/auth/options',
  summary: 'How people sign in here: is there somebody to sign in as, and is there single sign-on?',
  responses: answers(200, SignInOptionsSchema, 'The ways'),
});

const setup = createRoute({
  tags,
  method: 'post',
  path: '/auth/setup',
  summary: 'Makes the first administrator, by the one-time code that the log has, and signs in',
  request: jsonBody(SetupRequest),
  responses: answers(201, MeSchema, 'Made and signed in', [409, 429]),
});

const start = createRoute({
  tags,
  method: 'post',
  path: '/auth/sign-in',
  summary: 'Begins a session; the cookie is the answer',
  request: jsonBody(SignInRequest),
  responses: answers(200, MeSchema, 'Signed in', [429]),
});

const oidcStart = createRoute({
  tags,
  method: 'get',
  path: '/auth/oidc/start',
  summary: 'Sends the browser to the provider of single sign-on',
  request: { query: OidcStartQuery },
  responses: { ...moved, ...problemAnswers([400, 404, 503]) },
});

const oidcCallback = createRoute({
  tags,
  method: 'get',
  path: '/auth/oidc/callback',
  summary: 'Where the provider sends it back to: begins a session',
  responses: { ...moved, ...problemAnswers([400, 401, 403, 404, 429, 503]) },
});

/** How long a person may take at the provider. */
const MEMORY_SECONDS = 600;
const MEMORY = /^([\w-]{20,100})\.([\w-]{20,100})\.([\w-]{20,100})\.([\w-]+)$/;

/** What anybody may ask for: ways to sign in. */
export function createPublicAuthRouter(deps: ApiDeps) {
  const { settings } = deps;
  const { publicUrl } = settings;
  // the provider sends people back from another site, which `Strict` would take for a forgery
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
      const { next } = c.req.valid('query');
      const { url, memory } = await signOnOf(deps).begin();
      setCookie(c, memoryName, remembered(memory, next), memoryCookie);
      return c.redirect(url, 302);
    })
    .openapi(oidcCallback, async (c) => {
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

  /** @returns where to go on; the session has begun */
  async function finish(c: Context<ApiEnv>, signOn: SignOn, recalled: Recalled | null): Promise<string> {
    if (recalled === null)
      throw new SecuError('unauthenticated', 'this sign-in was not begun in this browser, or too long ago');
    const counted = await countTry(deps, { address: c.get('address'), username: null });
    const query = new URL(c.req.url).searchParams;
    const person = await signOn.finish({ query, memory: recalled.memory });
    const begun = await signOnAs(deps, visitor(c), person);
    await counted.succeeded();
    setSessionCookie(c, settings, begun.token);
    return recalled.next;
  }
}

/** A person in a browser is better told on the page to sign in at than by a problem in JSON. */
function showsPages(c: Context<ApiEnv>): boolean {
  return (c.req.header('Accept') ?? '').includes('text/html');
}

/** @throws SecuError `not_found` */
function signOnOf({ signOn }: ApiDeps): SignOn {
  if (signOn === null)
    throw new SecuError('not_found', 'there is no single sign-on here; see SECU_OIDC_ISSUER');
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
