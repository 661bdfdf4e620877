import { canSee, roleOf } from '../projects.ts';
import type { Reply } from '../reply.ts';
import { jsonReply } from '../reply.ts';
import { namespaceId } from '../world.ts';
import type { Demand } from './guard.ts';
import { guard, READS } from './guard.ts';
import { parseListQuery } from './list-query.ts';
import { offsetHeaders, page } from './paging.ts';
import type { Route, RouteContext } from './route.ts';

const READ_GROUP: Demand = {
  scopes: READS,
  scopeError: 'scope_generic',
  permission: { name: 'read_group', shown: 'group permissions: [Group: Read]' },
};

export const groupRoutes: Route[] = [{ method: 'GET', pattern: '/api/v4/groups', handle: listGroups }];

/**
 * The groups of the projects in which the caller has this role. The simulator stores roles per project, not per
 * group.
 */
function listGroups({ world, request }: RouteContext): Reply {
  const caller = guard({ world, request, demand: READ_GROUP });
  if ('status' in caller) return caller;
  const query = parseListQuery(world, request.query);
  if ('status' in query) return query;
  const minLevel = query.minAccessLevel ?? 10;
  const paths = new Set<string>();
  for (const project of world.projects.values()) {
    const isMember = canSee(project, caller.user) && roleOf(project, caller.user).level >= minLevel;
    if (isMember && project.owner === null) for (const path of groupsAbove(project.path)) paths.add(path);
  }
  const { number, size } = page(request.query);
  const rows = [...paths].toSorted().slice((number - 1) * size, number * size);
  const url = (other: number) => `${world.settings.externalUrl}/api/v4/groups?page=${other}&per_page=${size}`;
  return jsonReply(
    200,
    rows.map((path) => ({
      id: namespaceId(world, path),
      path: path.slice(path.lastIndexOf('/') + 1),
      full_path: path,
      web_url: `${world.settings.externalUrl}/groups/${path}`,
    })),
    offsetHeaders({ number, size, total: paths.size, urlOf: url }),
  );
}

function groupsAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
}
