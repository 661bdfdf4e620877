import type { Context } from 'hono';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { sessionHashOf } from '../middleware/session-cookie.ts';
import type { Visitor } from './sign-in.ts';

/** Who signs in, and from where. */
export function visitorOf(c: Context<ApiEnv>, settings: ApiDeps['settings']): Visitor {
  return {
    requestId: c.get('requestId'),
    address: c.get('address'),
    formerSessionHash: sessionHashOf(c, settings),
  };
}
