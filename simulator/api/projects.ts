import {
  canSee,
  projectByPath,
  projectsAfter,
  refusedByPolicy,
  roleOf,
  withinBoundary,
} from '../projects.ts';
import type { Reply } from '../reply.ts';
import { apiError, jsonReply } from '../reply.ts';
import type { Project, World } from '../world.ts';
import type { Caller, Demand } from './guard.ts';
import { guard, READS } from './guard.ts';
import type { ListQuery } from './list-query.ts';
import { parseListQuery } from './list-query.ts';
import { offsetHeaders, page, pageSize } from './paging.ts';
import { projectItem } from './project-item.ts';
import type { Route, RouteContext } from './route.ts';

export const READ_PROJECT: Demand = {
  scopes: READS,
  scopeError: 'scope_projects',
  permission: { name: 'read_project', shown: 'project permissions: [Project: Read]' },
};
const MAX_OFFSET_ROWS = 50_000;

export const projectRoutes: Route[] = [
  { method: 'GET', pattern: '/api/v4/projects', handle: listProjects },
  { method: 'GET', pattern: '/api/v4/projects/:id', handle: showProject },
];

function listProjects(context: RouteContext): Reply {
  const { world, request } = context;
  const caller = guard({ world, request, demand: READ_PROJECT });
  if ('status' in caller) return caller;
  const query = parseListQuery(world, request.query);
  if ('status' in query) return query;
  if (query.keyset && query.sort === 'asc') {
    const rows = firstListed({ caller, query, world, count: pageSize(request.query) });
    return keysetPage({ context, caller, query, rows });
  }
  const rows = [...world.projects.values()]
    .filter((project) => isListed({ project, caller, query }))
    .toSorted(order(query));
  return query.keyset
    ? keysetPage({ context, caller, query, rows })
    : offsetPage({ context, caller, query, rows });
}

/** One page by ascending ID; does not read the rows before or after it. */
function firstListed(input: { caller: Caller; query: ListQuery; world: World; count: number }): Project[] {
  const rows: Project[] = [];
  for (const project of projectsAfter(input.world, input.query.idAfter ?? 0)) {
    if (isListed({ ...input, project })) rows.push(project);
    if (rows.length === input.count) break;
  }
  return rows;
}

function isListed({
  project,
  caller,
  query,
}: {
  project: Project;
  caller: Caller;
  query: ListQuery;
}): boolean {
  const { user, token } = caller;
  if (!canSee(project, user) || refusedByPolicy({ token, user, project })) return false;
  if (!withinBoundary({ token, project, permission: 'read_project' })) return false;
  const { level } = roleOf(project, user);
  if (query.membership && level < 10) return false;
  if (query.owned && level < 50) return false;
  if (query.minAccessLevel !== null && level < query.minAccessLevel) return false;
  if (query.archived !== null && project.archived !== query.archived) return false;
  const active = !project.archived && project.markedForDeletionOn === null;
  if (query.active !== null && active !== query.active) return false;
  if (query.visibility !== null && project.visibility !== query.visibility) return false;
  if (query.search !== null && !project.name.toLowerCase().includes(query.search.toLowerCase())) return false;
  if (query.idAfter !== null && project.id <= query.idAfter) return false;
  if (query.idBefore !== null && project.id >= query.idBefore) return false;
  const activity = project.lastActivityAt.getTime();
  if (query.activityAfter !== null && activity <= query.activityAfter) return false;
  return query.activityBefore === null || activity < query.activityBefore;
}

function order(query: ListQuery): (a: Project, b: Project) => number {
  const direction = query.sort === 'asc' ? 1 : -1;
  const key = (project: Project): number | string => {
    switch (query.orderBy) {
      case 'name':
        return project.name;
      case 'path':
        return project.path;
      case 'created_at':
        return project.createdAt.getTime();
      case 'updated_at':
      case 'last_activity_at':
        return project.lastActivityAt.getTime();
      default:
        return project.id;
    }
  };
  return (a, b) => {
    const [left, right] = [key(a), key(b)];
    if (left === right) return (a.id - b.id) * direction;
    return (left < right ? -1 : 1) * direction;
  };
}

type PageInput = { context: RouteContext; caller: Caller; query: ListQuery; rows: Project[] };

function items({ context, caller, query }: PageInput, rows: Project[]) {
  const { world, repositories } = context;
  const { simple, statistics } = query;
  return rows.map((project) =>
    projectItem({ world, facts: repositories, project, user: caller.user, simple, statistics }),
  );
}

// Every page that is not empty has a Link header, even the last one: an empty page marks the end.
function keysetPage(input: PageInput): Reply {
  const { world, request } = input.context;
  const rows = input.rows.slice(0, pageSize(request.query));
  const last = rows.at(-1);
  if (last === undefined) return jsonReply(200, []);
  if (rows.some((project) => isBroken(world, project))) return apiError(world, 'server_error');
  const next = new URLSearchParams(listDefaults(input.query));
  for (const [name, value] of request.query) next.set(name, value);
  next.set(input.query.sort === 'asc' ? 'id_after' : 'id_before', String(last.id));
  const link = `<${listUrl(world, next)}>; rel="next"`;
  return jsonReply(200, items(input, rows), { Link: link });
}

function offsetPage(input: PageInput): Reply {
  const { world, request } = input.context;
  const { number, size } = page(request.query);
  if ((number - 1) * size >= MAX_OFFSET_ROWS) return apiError(world, 'offset_too_deep');
  const urlOf = (other: number) => {
    const query = new URLSearchParams(listDefaults(input.query));
    for (const [name, value] of request.query) query.set(name, value);
    query.set('page', String(other));
    query.set('per_page', String(size));
    return listUrl(world, query);
  };
  const rows = input.rows.slice((number - 1) * size, number * size);
  if (rows.some((project) => isBroken(world, project))) return apiError(world, 'server_error');
  return jsonReply(200, items(input, rows), offsetHeaders({ number, size, total: input.rows.length, urlOf }));
}

function isBroken(world: World, { id }: Project): boolean {
  return world.settings.brokenProjects.includes(id);
}

function listUrl(world: World, query: URLSearchParams): string {
  return `${world.settings.externalUrl}/api/v4/projects?${query.toString()}`;
}

function listDefaults(query: ListQuery): Record<string, string> {
  return {
    imported: 'false',
    membership: String(query.membership),
    order_by: query.orderBy,
    owned: String(query.owned),
    page: '1',
    pagination: query.keyset ? 'keyset' : 'legacy',
    per_page: '20',
    repository_checksum_failed: 'false',
    simple: String(query.simple),
    sort: query.sort,
    starred: 'false',
    statistics: String(query.statistics),
    wiki_checksum_failed: 'false',
    with_custom_attributes: 'false',
    with_issues_enabled: 'false',
    with_merge_requests_enabled: 'false',
  };
}

function showProject(context: RouteContext): Reply {
  const found = findProject(context, READ_PROJECT);
  if ('status' in found) return found;
  const { world, repositories, request } = context;
  const flag = (name: string) => request.query.get(name) === 'true';
  const { project, caller } = found;
  if (isBroken(world, project)) return apiError(world, 'server_error');
  const item = projectItem({
    world,
    facts: repositories,
    project,
    user: caller.user,
    simple: false,
    statistics: flag('statistics'),
  });
  return jsonReply(200, item);
}

/** The project of `:id` and the caller, or the refusal. */
export function findProject(
  context: RouteContext,
  demand: Demand,
): { project: Project; caller: Caller } | Reply {
  const { world, request } = context;
  const caller = guard({ world, request, demand });
  if ('status' in caller) return caller;
  const { token, user } = caller;
  const id = context.params['id'] ?? '';
  const project = /^\d+$/.test(id) ? world.projects.get(Number(id)) : projectByPath(world, id);
  if (project === undefined || !canSee(project, user)) return apiError(world, 'project_not_found');
  if (refusedByPolicy({ token, user, project })) return apiError(world, 'granular_permission_missing');
  if (!withinBoundary({ token, project, permission: demand.permission?.name ?? '' }))
    return apiError(world, 'granular_hidden');
  if (!/^\d+$/.test(id) && project.path.toLowerCase() !== id.toLowerCase()) {
    return apiError(world, 'project_moved', { fill: { 'projects/15': `projects/${project.id}` } });
  }
  return { project, caller };
}
