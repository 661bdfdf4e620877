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
import { makeSetupLink } from './setup-link.ts';
import { changePassword, signOut } from './sign-in.ts';

const tags = ['Signing in'];

const me = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'get',
  path: '/auth/me',
  summary: 'Who asks, and until when',
  responses: answers(200, MeSchema, 'You'),
});

const end = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'post',
  path: '/auth/sign-out',
  summary: 'Ends this session, or all of this person',
  request: jsonBody(SignOutRequest, { required: false }),
  responses: emptyAnswer('Signed out'),
});

const password = createRoute({
  ...forRole('viewer'),
  tags,
  method: 'post',
  path: '/auth/password',
  summary: 'Changes one’s own password; every other session ends',
  request: jsonBody(PasswordChange),
  responses: answers(200, MeSchema, 'Changed', [429]),
});

const setupLink = createRoute({
  ...forRole('admin'),
  tags,
  method: 'post',
  path: '/auth/setup-link',
  summary: 'A one-time link to make the first administrator; earlier ones end',
  responses: answers(201, SetupLinkSchema, 'Made, shown this once', [409]),
});

/** For whoever is known already. */
export function createAuthRouter(deps: ApiDeps) {
  const { settings } = deps;

  /** @throws SecuError `invalid_request` for an API key, which has no session */
  function personOf(c: Context<ApiEnv>) {
    const { id: userId, name: username, sessionId } = c.get('principal');
    if (sessionId === null)
      throw new SecuError('invalid_request', 'this is for people who signed in, not for API keys');
    const visitor = { requestId: c.get('requestId'), address: c.get('address') };
    return { ...visitor, formerSessionHash: sessionHashOf(c, settings), userId, username, sessionId };
  }

  return createRouter()
    .openapi(me, async (c) => c.json(await presentMe(deps, c.get('principal')), 200))
    .openapi(end, async (c) => {
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
      const link = await makeSetupLink({
        database: deps.database,
        publicUrl: settings.publicUrl,
        now: deps.now(),
        actor,
        data,
      });
      if (link === null) throw new SecuError('setup_done', 'there is an administrator already; sign in');
      return c.json({ url: link.url, expiresAt: iso(link.expiresAt) }, 201);
    });
}
