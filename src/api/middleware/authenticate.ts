import { createHash } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { SecuError } from '../../domain/errors.ts';
import type { UserRole } from '../../domain/user.ts';
import { ROLES } from '../../domain/user.ts';
import type { ApiDeps, ApiEnv, Principal } from '../deps.ts';
import { requireOwnPage } from './same-origin.ts';
import { sessionHashOf } from './session-cookie.ts';

export type Role = UserRole;

/** SHA-256 in hex. A key has 256 random bits, so a slow hash would not help. */
export function hashOfApiKey(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}

type Needs = Pick<ApiDeps, 'database' | 'now' | 'settings'>;

/** Sets the principal of the request. @throws SecuError `unauthenticated` | `forbidden` */
export function authenticate(deps: Needs): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    c.set('principal', await principalOf(c, deps));
    await next();
  };
}

/** The principal of a valid API key or session. @throws SecuError `unauthenticated` | `forbidden` */
export async function principalOf(c: Context<ApiEnv>, deps: Needs): Promise<Principal> {
  return c.req.header('Authorization') === undefined ? personOf(c, deps) : holderOfKey(c, deps);
}

async function holderOfKey(c: Context<ApiEnv>, deps: Needs): Promise<Principal> {
  const [, value] =
    /^Bearer (secu_[\w-]{20,200}|\S{32,200})$/i.exec(c.req.header('Authorization') ?? '') ?? [];
  if (value === undefined) {
    throw new SecuError('unauthenticated', 'send an API key as "Authorization: Bearer secu_…"');
  }
  return principalOfKey(value, deps);
}

/** The principal of this API key. @throws SecuError `unauthenticated` */
export async function principalOfKey(value: string, { database, now }: Needs): Promise<Principal> {
  const key = await database.stores.apiKeys.findByHash({ hash: hashOfApiKey(value), now: now() });
  if (key === null) throw new SecuError('unauthenticated', 'this API key is unknown, expired or deleted');
  return { kind: 'key', id: key.id, name: key.name, role: key.role, sessionId: null };
}

async function personOf(c: Context<ApiEnv>, { database, now, settings }: Needs): Promise<Principal> {
  const hash = sessionHashOf(c, settings);
  if (hash === null) {
    throw new SecuError('unauthenticated', 'sign in, or send an API key as "Authorization: Bearer secu_…"');
  }
  const session = await database.stores.sessions.use({ hash, now: now() });
  if (session === null) throw new SecuError('unauthenticated', 'this session has expired; sign in again');
  requireOwnPage({ c, publicUrl: settings.publicUrl });
  const { id: sessionId, userId: id, username: name, role } = session;
  return { kind: 'user', id, name, role, sessionId };
}

/** True while the key or session of this principal is valid. Asking does not extend a session. */
export async function isStillAllowed({ database, now }: Needs, principal: Principal): Promise<boolean> {
  if (principal.sessionId !== null) {
    const session = await database.stores.sessions.find({ id: principal.sessionId, now: now() });
    return session !== null && session.role === principal.role;
  }
  const key = await database.stores.apiKeys.find(principal.id);
  return key !== null && (key.expiresAt === null || key.expiresAt > now());
}

/** Requires at least this role. @throws SecuError `forbidden` */
export function requireRole(role: Role): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const principal = c.get('principal');
    if (ROLES[principal.role].rank < ROLES[role].rank)
      throw new SecuError('forbidden', `this requires the role ${role}; ${currentRoleText(principal)}`);
    await next();
  };
}

/** Requires the role `metrics` or any role that may read everything. @throws SecuError `forbidden` */
export function requireMetricsReader(): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const principal = c.get('principal');
    if (principal.role !== 'metrics' && ROLES[principal.role].rank < ROLES.viewer.rank)
      throw new SecuError(
        'forbidden',
        `this requires the role metrics or viewer; ${currentRoleText(principal)}`,
      );
    await next();
  };
}

/** Requires the role `calendar` or any role that may read everything. @throws SecuError `forbidden` */
export function assertCalendarReader(principal: Principal): void {
  if (principal.role !== 'calendar' && ROLES[principal.role].rank < ROLES.viewer.rank)
    throw new SecuError(
      'forbidden',
      `this requires the role calendar or viewer; ${currentRoleText(principal)}`,
    );
}

function currentRoleText({ kind, name, role }: Principal): string {
  return kind === 'key' ? `the key "${name}" has ${role}` : `you have ${role}`;
}

/** The actor text of events. */
export function actorOf({ kind, name }: Pick<Principal, 'kind' | 'name'>): string {
  return `${kind}:${name}`;
}
