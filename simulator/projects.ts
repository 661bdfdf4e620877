import type { Role } from './project-access.ts';
import type { Recipe } from './recipes/recipe.ts';
import type { Project, Token, User, World } from './world.ts';
import { isBot, takeId } from './world.ts';

const NO_ROLE: Role = { level: 0, via: 'project' };

/** Levels of GitLab's roles that matter here. */
const GUEST = 10;
const REPORTER = 20;

/** `isNewPath`: the caller knows that no project has this path. */
export function addProjectOf(world: World, recipe: Recipe, { isNewPath = false } = {}): Project {
  const traits = recipe.project ?? {};
  if (!isNewPath && projectByPath(world, recipe.path)?.path === recipe.path) {
    throw new Error(`the path ${recipe.path} is taken`);
  }
  const project: Project = {
    id: takeId(world, 'project'),
    recipe,
    path: recipe.path,
    oldPaths: [],
    name: traits.name ?? lastSegment(recipe.path),
    description: traits.description ?? null,
    defaultBranch: recipe.defaultBranch ?? 'main',
    visibility: traits.visibility ?? 'private',
    archived: traits.archived ?? false,
    repositoryAccess: traits.repositoryAccess ?? 'enabled',
    repositoryExists: traits.repositoryExists ?? true,
    markedForDeletionOn: traits.markedForDeletionOn ?? null,
    protectedBranches: new Set(),
    importStatus: traits.importStatus ?? 'none',
    forkedFrom: traits.forkOf === undefined ? null : (projectByPath(world, traits.forkOf)?.id ?? null),
    cloneUrlOrigin: traits.cloneUrlOrigin ?? null,
    owner: traits.owner ?? null,
    createdAt: new Date(traits.createdAt ?? '2024-08-06T10:31:47.509Z'),
    lastActivityAt: new Date(traits.lastActivityAt ?? '2026-11-20T15:40:56.606Z'),
    defaultRole: traits.role ?? { level: REPORTER, via: 'group' },
    roles: new Map(),
    ssoEnforced: false,
    granularEnforced: false,
    ipRestricted: false,
  };
  world.projects.set(project.id, project);
  return project;
}

export function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * Iterates over projects with a higher ID. The map is sorted by ID, because IDs only grow. A binary search finds
 * the start, so that a page of a long listing does not walk over all projects.
 */
export function* projectsAfter(world: World, id: number): Generator<Project> {
  const ids = sortedIds(world);
  let low = 0;
  for (let high = ids.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((ids[middle] ?? 0) <= id) low = middle + 1;
    else high = middle;
  }
  for (; low < ids.length; low += 1) {
    const project = world.projects.get(ids[low] ?? 0);
    if (project !== undefined) yield project;
  }
}

const SORTED = new WeakMap<World, { ids: number[]; size: number; nextId: number }>();

function sortedIds(world: World): number[] {
  const known = SORTED.get(world);
  const { size } = world.projects;
  const nextId = world.nextId.project;
  if (known !== undefined && known.nextId === nextId && known.size === size) return known.ids;
  const ids = [...world.projects.keys()];
  SORTED.set(world, { ids, size, nextId });
  return ids;
}

/** Finds a project by its current path, otherwise by a former path that no other project has. */
export function projectByPath(world: World, path: string): Project | undefined {
  const expected = path.toLowerCase();
  let former: Project | undefined;
  for (const project of world.projects.values()) {
    if (project.path.toLowerCase() === expected) return project;
    if (project.oldPaths.some((old) => old.toLowerCase() === expected)) former = project;
  }
  return former;
}

/** The role of a user in a project; level 0 for no role. */
export function roleOf(project: Project, user: User): Role {
  const own = project.roles.get(user.id);
  if (own !== undefined) return own;
  if (project.owner === user.username) return { level: 50, via: 'project' };
  return user.member ? project.defaultRole : NO_ROLE;
}

/** Whether the API shows this project to the user. */
export function canSee(project: Project, user: User): boolean {
  if (project.ipRestricted) return false;
  if (roleOf(project, user).level >= GUEST) return true;
  return project.visibility === 'public' || (project.visibility === 'internal' && user.kind === 'human');
}

/** Whether this user's role includes reading code. */
export function canReadCode(project: Project, user: User): boolean {
  if (project.repositoryAccess === 'disabled' || !canSee(project, user)) return false;
  if (roleOf(project, user).level >= REPORTER) return true;
  return project.visibility !== 'private' && project.repositoryAccess === 'enabled';
}

/** Whether the boundary of a fine-grained token includes the project. */
export function withinBoundary({
  token,
  project,
  permission,
}: {
  token: Token;
  project: Project;
  permission: string;
}): boolean {
  if (token.granular === null) return true;
  return token.granular.some((scope) => {
    if (!scope.permissions.includes(permission)) return false;
    if (scope.access === 'all_memberships' || scope.access === 'instance') return true;
    if (scope.access === 'personal_projects') return project.owner !== null;
    return scope.access === 'selected_memberships' && (scope.projectIds?.includes(project.id) ?? true);
  });
}

/** Whether the project's group refuses this classic token because it requires fine-grained ones. */
export function refusedByPolicy({
  token,
  user,
  project,
}: {
  token: Token;
  user: User;
  project: Project;
}): boolean {
  return project.granularEnforced && token.granular === null && !isBot(user);
}
