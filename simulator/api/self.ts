import { dateAfter } from '../clock.ts';
import { lastSegment, roleOf } from '../projects.ts';
import type { Reply } from '../reply.ts';
import { apiError, jsonReply } from '../reply.ts';
import { parametersOf } from '../request.ts';
import { addToken, isExpired, tokenEntity } from '../tokens.ts';
import type { Token, World } from '../world.ts';
import { namespaceId } from '../world.ts';
import type { Demand } from './guard.ts';
import { guard, presentedToken } from './guard.ts';
import { page } from './paging.ts';
import type { Route, RouteContext } from './route.ts';

const SELF = '/api/v4/personal_access_tokens/self';
const userPermission = (name: string, shown: string) => ({ name, shown: `user permissions: [${shown}]` });
const READ_SELF: Demand = {
  scopes: 'any',
  scopeError: 'scope_generic',
  permission: userPermission('read_personal_access_token', 'Personal Access Token: Read'),
};
const ROTATE: Demand = {
  scopes: ['api', 'self_rotate'],
  scopeError: 'scope_self_rotate',
  permission: userPermission('rotate_personal_access_token', 'Personal Access Token: Rotate'),
};
const REVOKE: Demand = {
  ...READ_SELF,
  permission: userPermission('revoke_personal_access_token', 'Personal Access Token: Revoke'),
};
const ASSOCIATIONS: Demand = { scopes: 'any', scopeError: 'scope_generic', permission: null };

export const selfRoutes: Route[] = [
  { method: 'GET', pattern: SELF, handle: showSelf },
  { method: 'DELETE', pattern: SELF, handle: revokeSelf },
  { method: 'POST', pattern: `${SELF}/rotate`, handle: rotateSelf },
  { method: 'GET', pattern: `${SELF}/associations`, handle: showAssociations },
];

function showSelf({ world, request }: RouteContext): Reply {
  const caller = guard({ world, request, demand: READ_SELF });
  if ('status' in caller) return caller;
  if (caller.token.kind === 'oauth') return apiError(world, 'self_with_oauth_token');
  return jsonReply(200, tokenEntity(world, caller.token));
}

function revokeSelf({ world, request }: RouteContext): Reply {
  const caller = guard({ world, request, demand: REVOKE });
  if ('status' in caller) return caller;
  if (world.settings.maintenanceMode) return apiError(world, 'maintenance_write');
  caller.token.revoked = true;
  return { status: 204, headers: {}, body: Buffer.alloc(0) };
}

function rotateSelf({ world, request }: RouteContext): Reply {
  const presented = presentedToken(world, request);
  // Reuse detection: a rotation with a revoked token revokes its whole family.
  if (presented?.revoked === true && !isExpired(world, presented)) revokeFamily(world, presented);
  const caller = guard({ world, request, demand: ROTATE });
  if ('status' in caller) return caller;
  const old = caller.token;
  if (old.kind === 'oauth') return apiError(world, 'rotate_not_a_pat');
  if (world.settings.maintenanceMode) return apiError(world, 'maintenance_write');
  if (world.settings.legacyRotationDisabled && old.granular === null)
    return apiError(world, 'rotate_legacy_disabled');
  const expiresAt = parseExpiry(world, parametersOf(request).get('expires_at'));
  if (typeof expiresAt === 'object' && expiresAt !== null) return expiresAt;
  old.revoked = true;
  const created = addToken(world, {
    userId: old.userId,
    name: old.name,
    description: old.description,
    scopes: old.scopes,
    granular: old.granular ?? undefined,
    listsGranularScopes: old.listsGranularScopes,
    fields: old.fields,
    expiresAt,
    family: old.family,
  });
  return jsonReply(200, { ...tokenEntity(world, created), token: created.secret });
}

function revokeFamily(world: World, presented: Token): void {
  for (const token of world.tokens.values()) if (token.family === presented.family) token.revoked = true;
}

/** The new expiry date, null for no expiry, or the refusal. */
function parseExpiry(world: World, expiresOn: string | undefined): string | null | Reply {
  const now = world.clock.now();
  if (expiresOn === undefined || expiresOn === '') {
    return world.settings.requireTokenExpiry ? dateAfter({ at: now, days: 7 }) : null;
  }
  if (!/^\d{4}-\d{2}-\d{2}$/.test(expiresOn) || Number.isNaN(Date.parse(expiresOn))) {
    return apiError(world, 'rotate_expiry_not_a_date');
  }
  const latest = dateAfter({ at: now, days: world.settings.maxTokenLifetimeDays });
  if (expiresOn > latest) return apiError(world, 'rotate_expiry_too_far', { fill: { '<max date>': latest } });
  if (expiresOn <= world.clock.today()) {
    return jsonReply(400, {
      message: '400 Bad request - Expiration date can only be set to a date in the future',
    });
  }
  return expiresOn;
}

function showAssociations({ world, request }: RouteContext): Reply {
  const caller = guard({ world, request, demand: ASSOCIATIONS });
  if ('status' in caller) return caller;
  const level = Number(request.query.get('min_access_level') ?? '10');
  const projects = [...world.projects.values()].filter(
    (project) => roleOf(project, caller.user).level >= level,
  );
  const paths = new Set(
    projects.filter(({ owner }) => owner === null).map(({ path }) => path.slice(0, path.lastIndexOf('/'))),
  );
  const { externalUrl } = world.settings;
  const groups = [...paths].map((path) => ({
    id: namespaceId(world, path),
    web_url: `${externalUrl}/groups/${path}`,
    name: lastSegment(path),
    parent_id: path.includes('/') ? namespaceId(world, path.slice(0, path.lastIndexOf('/'))) : null,
    organization_id: 1,
    access_levels: 20,
    visibility: 'private',
  }));
  const shown = projects.map((project) => {
    const role = roleOf(project, caller.user);
    const path = project.path.slice(0, project.path.lastIndexOf('/'));
    return {
      id: project.id,
      description: project.description,
      name: project.name,
      name_with_namespace: `${lastSegment(path)} / ${project.name}`,
      path: lastSegment(project.path),
      path_with_namespace: project.path,
      created_at: project.createdAt.toISOString(),
      access_levels: {
        project_access_level: role.via === 'project' ? role.level : null,
        group_access_level: role.via === 'project' ? null : role.level,
      },
      visibility: project.visibility,
      web_url: `${externalUrl}/${project.path}`,
      namespace: {
        id: namespaceId(world, path),
        name: lastSegment(path),
        path: lastSegment(path),
        kind: project.owner === null ? 'group' : 'user',
        full_path: path,
        parent_id: null,
        avatar_url: null,
        web_url: project.owner === null ? `${externalUrl}/groups/${path}` : `${externalUrl}/${path}`,
      },
    };
  });
  const { number, size } = page(request.query);
  const slice = <T>(rows: T[]) => rows.slice((number - 1) * size, number * size);
  return jsonReply(200, { groups: slice(groups), projects: slice(shown) });
}
