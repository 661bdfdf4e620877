import type { Reply } from '../reply.ts';
import { apiError } from '../reply.ts';
import type { SimulatedRequest } from '../request.ts';
import { credentialsOf } from '../request.ts';
import { findTokenBySecret, hasPermission, isExpired } from '../tokens.ts';
import type { Token, User, World } from '../world.ts';
import { userById } from '../world.ts';

/** The caller, after all checks of GitLab's guard have passed. */
export type Caller = { token: Token; user: User };

/** What a route requires of a token. */
export type Demand = {
  /** Classic scopes, one of which is required; `any` for routes about the token itself. */
  scopes: readonly string[] | 'any';
  /** Entry of `api_errors.json` that answers a classic token without these scopes. */
  scopeError: string;
  /** Permission that a fine-grained token needs; null: the route refuses fine-grained tokens. */
  permission: { name: string; shown: string } | null;
};

export const READS = ['api', 'read_api'] as const;

/**
 * Checks in GitLab's order: unknown, expired, revoked, scope, then the state of the user.
 * @see GitLab source, `lib/api/api_guard.rb`
 */
export function guard(options: { world: World; request: SimulatedRequest; demand: Demand }): Caller | Reply {
  const { world, demand } = options;
  const token = presentedToken(world, options.request);
  if (token === undefined) return apiError(world, 'unknown_token');
  if (isExpired(world, token)) return apiError(world, 'expired');
  if (token.revoked) return apiError(world, 'revoked');
  const refusal = scopeRefusal({ world, token, demand });
  if (refusal !== null) return refusal;
  const user = userById(world, token.userId);
  if (user.state === 'blocked') return apiError(world, 'user_blocked');
  if (user.state === 'terms')
    return apiError(world, 'user_terms', { fill: { '@jdoe': `@${user.username}` } });
  return { token, user };
}

/** The token of a request, if its kind can open the API. */
export function presentedToken(world: World, request: SimulatedRequest): Token | undefined {
  const credentials = credentialsOf(request);
  if (credentials.kind === 'none' || credentials.kind === 'basic') return undefined;
  const token = findTokenBySecret(world, credentials.secret);
  return token?.kind === 'deploy' ? undefined : token;
}

function scopeRefusal(options: { world: World; token: Token; demand: Demand }): Reply | null {
  const { world, token, demand } = options;
  if (token.granular !== null) {
    if (demand.permission === null) return apiError(world, 'granular_unsupported');
    if (hasPermission(token, demand.permission.name)) return null;
    return apiError(world, 'granular_permission_missing', {
      fill: { 'project permissions: [Project: Read]': demand.permission.shown },
    });
  }
  if (demand.scopes === 'any') return token.scopes.length > 0 ? null : apiError(world, demand.scopeError);
  return demand.scopes.some((scope) => token.scopes.includes(scope))
    ? null
    : apiError(world, demand.scopeError);
}
