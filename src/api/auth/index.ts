import type { Context } from 'hono';
import { SecuError } from '../../domain/errors.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { clearSessionCookie, sessionHashOf, setSessionCookie } from '../middleware/session-cookie.ts';
import {
  answers,
  auditedBy,
  createRoute,
  createRouter,
  emptyAnswer,
  forRole,
  iso,
  jsonBody,
} from '../shared.ts';
import { presentMe } from './me.ts';
import { MeSchema, PasswordChange, SetupLinkSchema, SignOutRequest } from './schemas.ts';
import { createSetupLink } from './setup-link.ts';
import { changePassword, signOut } from './sign-in.ts';

const tags = ['Sign-in'];

const me = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/auth/me',
  summary: 'The current principal and when its session or key expires',
  responses: answers(200, MeSchema, 'The current principal'),
});

const signOutRoute = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'post',
  path: '/auth/sign-out',
  summary: 'End this session, or all sessions of this person',
  request: jsonBody(SignOutRequest, { required: false }),
  responses: emptyAnswer('Signed out'),
});

const password = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'post',
  path: '/auth/password',
  summary: 'Change your own password; all other sessions end',
  request: jsonBody(PasswordChange),
  responses: answers(200, MeSchema, 'Changed', [429]),
});

const setupLink = createRoute({
  ...forRole('admin'),
  tags,
  method: 'post',
  path: '/auth/setup-link',
  summary: 'Create a one-time link for the first administrator; earlier links expire',
  responses: answers(201, SetupLinkSchema, 'Created; shown only once', [409]),
});

/** Routes that require authentication. */
export function createAuthRouter(deps: ApiDeps) {
  const { settings } = deps;

  /** @throws SecuError `invalid_request` for an API key, which has no session */
  function personOf(c: Context<ApiEnv>) {
    const { id: userId, name: username, sessionId } = c.get('principal');
    if (sessionId === null)
      throw new SecuError('invalid_request', 'only people who signed in can do this, not API keys');
    const visitor = { requestId: c.get('requestId'), address: c.get('address') };
    return { ...visitor, formerSessionHash: sessionHashOf(c, settings), userId, username, sessionId };
  }

  return createRouter()
    .openapi(me, async (c) => c.json(await presentMe(deps, c.get('principal')), 200))
    .openapi(signOutRoute, async (c) => {
      const { everywhere = false } = c.req.valid('json');
      await signOut(deps, personOf(c), { everywhere });
      clearSessionCookie(c, settings);
      return c.body(null, 204);
    })
    .openapi(password, async (c) => {
      const { token, sessionId, userId: id } = await changePassword(deps, personOf(c), c.req.valid('json'));
      setSessionCookie(c, settings, token);
      return c.json(await presentMe(deps, { kind: 'user', id, sessionId }), 200);
    })
    .openapi(setupLink, async (c) => {
      const { actor, ...data } = auditedBy(c);
      const link = await createSetupLink({
        database: deps.database,
        publicUrl: settings.publicUrl,
        now: deps.now(),
        actor,
        data,
      });
      if (link === null) throw new SecuError('setup_done', 'an administrator already exists; sign in');
      return c.json({ url: link.url, expiresAt: iso(link.expiresAt) }, 201);
    });
}
