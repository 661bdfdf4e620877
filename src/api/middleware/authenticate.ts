import { createHash } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import type { ApiKeyRole } from '../../db/entities/system.ts';
import { SecuError } from '../../domain/errors.ts';
import type { ApiDeps, ApiEnv, Principal } from '../deps.ts';

const RANK: Record<ApiKeyRole, number> = { metrics: 0, calendar: 0, viewer: 1, operator: 2, admin: 3 };

export type Role = 'viewer' | 'operator' | 'admin';

/** SHA-256 in hex: a key has 256 random bits, so a slow hash would add nothing. */
export function hashOfApiKey(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}

/** Who asks: the holder of a live API key. @throws SecuError `unauthenticated` */
export function authenticate({
  database,
  now,
}: Pick<ApiDeps, 'database' | 'now'>): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    c.set('principal', await principalOf({ c, database, now }));
    await next();
  };
}

async function principalOf({
  c,
  database,
  now,
}: { c: Context<ApiEnv> } & Pick<ApiDeps, 'database' | 'now'>): Promise<Principal> {
  const [, value] =
    /^Bearer (secu_[\w-]{20,200}|\S{32,200})$/i.exec(c.req.header('Authorization') ?? '') ?? [];
  if (value === undefined) {
    throw new SecuError('unauthenticated', 'send an API key as "Authorization: Bearer secu_…"');
  }
  const key = await database.stores.apiKeys.findByHash({ hash: hashOfApiKey(value), now: now() });
  if (key === null) throw new SecuError('unauthenticated', 'this API key is not known, expired or removed');
  return { id: key.id, name: key.name, role: key.role };
}

/** At least this role. @throws SecuError `forbidden` */
export function requireRole(role: Role): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const principal = c.get('principal');
    if (RANK[principal.role] < RANK[role]) {
      throw new SecuError(
        'forbidden',
        `this needs the role ${role}; the key "${principal.name}" has ${principal.role}`,
      );
    }
    await next();
  };
}

/** The role `metrics`, and whoever may read everything. @throws SecuError `forbidden` */
export function requireMetricsReader(): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const { role, name } = c.get('principal');
    if (role !== 'metrics' && RANK[role] < RANK.viewer) {
      throw new SecuError(
        'forbidden',
        `this needs the role metrics or viewer; the key "${name}" has ${role}`,
      );
    }
    await next();
  };
}

export function actorOf(principal: Principal): string {
  return `key:${principal.name}`;
}
