import type { Context } from 'hono';
import { SecuError } from '../../domain/errors.ts';
import { HOOK_THROTTLE } from '../../domain/user.ts';
import { tooManyAttempts } from '../auth/throttle.ts';
import { wake } from '../commands.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { throttledNetwork } from '../middleware/client-address.ts';
import { createRoute, createRouter, idParam, problemAnswers } from '../shared.ts';
import { createTokenReader, readAuthenticBody } from './authentic-body.ts';
import { hintOf, UNREADABLE } from './payload.ts';
import { receiveHint } from './receive.ts';

const route = createRoute({
  security: [{ hookToken: [] }],
  tags: ['Webhooks'],
  method: 'post',
  path: '/hooks/gitlab/{id}',
  summary: 'Receives project, group and system hooks of GitLab, as hints where to look',
  request: { params: idParam('integration') },
  responses: {
    202: { description: 'Received; events that are of no use are ignored' },
    ...problemAnswers([401, 413, 429, 503]),
  },
});

/** Where GitLab sends webhooks. It answers at once; what follows happens in the background. */
export function createHooksRouter(deps: ApiDeps) {
  const tokenOf = createTokenReader(deps);
  return createRouter().openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const token = await tokenOf(id);
    const body = await readAuthenticBody(c, token, deps.now());
    if (body.refused) throw await refusal(c, deps);
    const hint = body.text === null ? UNREADABLE : hintOf(body.text);
    const wakes = await receiveHint(deps, { integrationId: id, hint });
    // a Temporal server that is away must not delay the answer; then the dispatcher sends the wake
    deps.background.add(wake(deps, wakes));
    return c.body(null, 202);
  });
}

/** The same error for an unknown integration and for a wrong token; 429 after many of them from one address. */
async function refusal(c: Context<ApiEnv>, { database, now }: ApiDeps): Promise<SecuError> {
  const at = now();
  const subject = `hook:${throttledNetwork(c.get('address'))}`;
  const until = await database.stores.signInTries.begin({ subject, rule: HOOK_THROTTLE, now: at });
  return until === null
    ? new SecuError('unauthenticated', 'the hook token is missing or not valid')
    : tooManyAttempts(until, at);
}
