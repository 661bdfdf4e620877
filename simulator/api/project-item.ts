import type { JsonObject } from '../data.ts';
import { entryOf } from '../data.ts';
import { canReadCode, lastSegment, roleOf } from '../projects.ts';
import type { Project, User, World } from '../world.ts';
import { namespaceId } from '../world.ts';

/** Properties of the repository that the item shows. */
type RepositoryFacts = { isEmpty(project: Project): boolean };

/**
 * One project as `GET /projects` shows it to a user.
 * @see `data/projects_list_items.json`: fields that we do not model keep the values of that file
 */
export function projectItem(options: {
  world: World;
  facts: RepositoryFacts;
  project: Project;
  user: User;
  simple: boolean;
  statistics: boolean;
}): JsonObject {
  const { world, project, user } = options;
  const template = entryOf(world.data.projects, options.simple ? 'simple_true' : 'full');
  const item: JsonObject = { ...template, ...identityFields(world, project) };
  if (!canReadCode(project, user)) {
    for (const field of ['default_branch', 'readme_url', 'forks_count']) delete item[field];
  }
  if (options.simple) return item;
  Object.assign(item, stateFields({ world, project, facts: options.facts }));
  item['permissions'] = permissionsOf(project, user);
  if (project.forkedFrom !== null) Object.assign(item, forkFields(world, project.forkedFrom));
  if (project.owner !== null) item['owner'] = ownerFields(world, project.owner);
  if (options.statistics) item['statistics'] = entryOf(world.data.projects, 'with_statistics')['statistics'];
  return item;
}

function identityFields(world: World, project: Project): JsonObject {
  const url = world.settings.externalUrl;
  const { host } = new URL(url);
  const namespace = namespaceOf(world, project);
  return {
    id: project.id,
    description: project.description,
    name: project.name,
    name_with_namespace: `${namespace.name} / ${project.name}`,
    path: lastSegment(project.path),
    path_with_namespace: project.path,
    created_at: project.createdAt.toISOString(),
    default_branch: project.defaultBranch,
    ssh_url_to_repo: `git@${host.replace(/:\d+$/, '')}:${project.path}.git`,
    http_url_to_repo: `${project.cloneUrlOrigin ?? url}/${project.path}.git`,
    web_url: `${url}/${project.path}`,
    readme_url: `${url}/${project.path}/-/blob/${project.defaultBranch}/README.md`,
    last_activity_at: project.lastActivityAt.toISOString(),
    visibility: project.visibility,
    namespace,
  };
}

function namespaceOf(world: World, project: Project) {
  const path = project.path.slice(0, project.path.lastIndexOf('/'));
  const url = world.settings.externalUrl;
  const slash = path.lastIndexOf('/');
  const segment = lastSegment(path);
  const owner = project.owner === null ? undefined : userNamed(world, project.owner);
  return {
    id: namespaceId(world, path),
    name: owner?.name ?? segment.charAt(0).toUpperCase() + segment.slice(1),
    path: segment,
    kind: project.owner === null ? 'group' : 'user',
    full_path: path,
    parent_id: slash === -1 ? null : namespaceId(world, path.slice(0, slash)),
    avatar_url: null,
    web_url: project.owner === null ? `${url}/groups/${path}` : `${url}/${path}`,
  };
}

function stateFields(options: { world: World; project: Project; facts: RepositoryFacts }): JsonObject {
  const { world, project } = options;
  const api = `${world.settings.externalUrl}/api/v4/projects/${project.id}`;
  const parts = ['issues', 'merge_requests', 'labels', 'events', 'members', 'cluster_agents'];
  const { hostname } = new URL(world.settings.externalUrl);
  return {
    container_registry_image_prefix: `registry.${hostname}/${project.path.toLowerCase()}`,
    _links: {
      self: api,
      repo_branches: `${api}/repository/branches`,
      ...Object.fromEntries(parts.map((part) => [part, `${api}/${part}`])),
    },
    marked_for_deletion_at: project.markedForDeletionOn,
    marked_for_deletion_on: project.markedForDeletionOn,
    empty_repo: !project.repositoryExists || options.facts.isEmpty(project),
    archived: project.archived,
    repository_object_format: project.recipe.objectFormat ?? 'sha1',
    repository_access_level: project.repositoryAccess,
    ...(project.repositoryAccess === 'disabled'
      ? { builds_access_level: 'disabled', merge_requests_access_level: 'disabled' }
      : {}),
    import_status: project.importStatus,
    updated_at: project.lastActivityAt.toISOString(),
  };
}

// Access through an invited group leaves both sides null, although the role is effective.
function permissionsOf(project: Project, user: User): JsonObject {
  const { level, via } = roleOf(project, user);
  const access = { access_level: level, notification_level: 3 };
  return {
    project_access: level > 0 && via === 'project' ? access : null,
    group_access: level > 0 && via === 'group' ? access : null,
  };
}

function forkFields(world: World, sourceId: number): JsonObject {
  const source = world.projects.get(sourceId);
  if (source === undefined) return {};
  const simple = { ...entryOf(world.data.projects, 'simple_true'), ...identityFields(world, source) };
  return { forked_from_project: simple, mr_default_target_self: false };
}

function ownerFields(world: World, username: string): JsonObject {
  const owner = userNamed(world, username);
  return {
    id: owner?.id ?? 0,
    username,
    public_email: null,
    name: owner?.name ?? username,
    state: 'active',
    locked: false,
    avatar_url: null,
    web_url: `${world.settings.externalUrl}/${username}`,
  };
}

function userNamed(world: World, username: string): User | undefined {
  return [...world.users.values()].find((user) => user.username === username);
}
