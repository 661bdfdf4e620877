import type { Context } from 'hono';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { refuseForeignPage } from '../middleware/same-origin.ts';
import { setSessionCookie } from '../middleware/session-cookie.ts';
import { answers, createRoute, createRouter, jsonBody } from '../shared.ts';
import { presentMe } from './me.ts';
import { MeSchema, SetupRequest, SignInOptionsSchema, SignInRequest } from './schemas.ts';
import type { NewSession } from './sign-in.ts';
import { setUp, signIn } from './sign-in.ts';
import { createSingleSignOnRouter } from './single-sign-on.ts';
import { visitorOf } from './visitor.ts';

const tags = ['Sign-in'];

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

/** Routes without authentication: sign-in options, sign-in and setup. */
export function createPublicAuthRouter(deps: ApiDeps) {
  const { settings } = deps;
  const { publicUrl } = settings;

  async function answerWithSession(c: Context<ApiEnv>, session: NewSession) {
    setSessionCookie(c, settings, session.token);
    return presentMe(deps, { kind: 'user', id: session.userId, sessionId: session.sessionId });
  }

  return createRouter()
    .openapi(options, async (c) => {
      const setupOpen = !(await deps.database.stores.users.hasAdministrator());
      return c.json({ setup: setupOpen, singleSignOn: deps.signOn !== null }, 200);
    })
    .openapi(setup, async (c) => {
      refuseForeignPage({ c, publicUrl });
      return c.json(
        await answerWithSession(c, await setUp(deps, visitorOf(c, settings), c.req.valid('json'))),
        201,
      );
    })
    .openapi(start, async (c) => {
      refuseForeignPage({ c, publicUrl });
      return c.json(
        await answerWithSession(c, await signIn(deps, visitorOf(c, settings), c.req.valid('json'))),
        200,
      );
    })
    .route('/', createSingleSignOnRouter(deps));
}
