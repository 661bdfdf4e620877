import { SESSION_IDLE_MS, SESSION_MAX_MS, USER_ROLES } from '../../domain/user.ts';
import type { ApiDeps, Principal } from '../deps.ts';
import type { z } from '../shared.ts';
import { found, iso } from '../shared.ts';
import type { MeSchema } from './schemas.ts';

/** Describes a principal. @throws SecuError `not_found` when it was deleted meanwhile */
export async function presentMe(
  { database, now }: Pick<ApiDeps, 'database' | 'now'>,
  { kind, id, sessionId }: Pick<Principal, 'kind' | 'id' | 'sessionId'>,
): Promise<z.infer<typeof MeSchema>> {
  if (kind === 'key' || sessionId === null) {
    const key = found(await database.stores.apiKeys.find(id), 'API key');
    const role = found(USER_ROLES.find((known) => known === key.role) ?? null, 'role');
    return { kind: 'key', id, name: key.name, username: null, role, source: null, session: null };
  }
  const user = found(await database.stores.users.find(id), 'user');
  const session = found(await database.stores.sessions.find({ id: sessionId, now: now() }), 'session');
  const later = (from: Date, ms: number) => new Date(from.getTime() + ms);
  const expiresAt = later(session.createdAt, SESSION_MAX_MS);
  const idleAt = later(session.seenAt, SESSION_IDLE_MS);
  return {
    kind,
    id,
    name: user.username,
    username: user.username,
    role: user.role,
    source: user.source,
    session: {
      createdAt: iso(session.createdAt),
      expiresAt: iso(expiresAt),
      idleExpiresAt: iso(idleAt < expiresAt ? idleAt : expiresAt),
    },
  };
}
