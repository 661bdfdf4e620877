import type { Clock } from './clock.ts';
import type { GitlabData } from './data.ts';
import type { RepositoryAccess, Role, Visibility } from './project-access.ts';
import type { Recipe } from './recipes/recipe.ts';

export type UserKind = 'human' | 'service_account' | 'group_token_bot' | 'project_token_bot';
type UserState = 'active' | 'blocked' | 'terms';

export type User = {
  id: number;
  username: string;
  name: string;
  kind: UserKind;
  state: UserState;
  createdAt: Date;
  /** Whether the user is a member of every project that gives them no own role. */
  member: boolean;
};

/** Only `personal` tokens open the API; the other kinds exist to test the refusal. */
export type TokenKind = 'personal' | 'oauth' | 'deploy';

export type GranularScope = {
  access: 'user' | 'instance' | 'all_memberships' | 'personal_projects' | 'selected_memberships';
  permissions: string[];
  /** Boundary of `selected_memberships`: project IDs. */
  projectIds?: number[] | undefined;
};

export type Token = {
  id: number;
  secret: string;
  kind: TokenKind;
  name: string;
  description: string | null;
  scopes: string[];
  /** Present on a fine-grained token, whose `scopes` are then `["granular"]`. */
  granular: GranularScope[] | null;
  /** Whether `self` shows the granular scopes, as newer GitLab does. */
  listsGranularScopes: boolean;
  /** The release whose fields `self` shows. */
  fields: 'current' | 'before_17_7';
  userId: number;
  createdAt: Date;
  /** `YYYY-MM-DD`; expired from 00:00 UTC of that day. Null: never expires. */
  expiresAt: string | null;
  lastUsedAt: Date | null;
  revoked: boolean;
  /** The same for all tokens that rotation created from one another. */
  family: number;
};

export type Project = {
  id: number;
  /** The recipe that the project was made from. */
  recipe: Recipe;
  path: string;
  oldPaths: string[];
  name: string;
  description: string | null;
  defaultBranch: string;
  visibility: Visibility;
  archived: boolean;
  repositoryAccess: RepositoryAccess;
  /** False: the project never had a repository. */
  repositoryExists: boolean;
  markedForDeletionOn: string | null;
  /** Protected branches besides the default branch. */
  protectedBranches: Set<string>;
  importStatus: string;
  forkedFrom: number | null;
  /** Scheme and host in `http_url_to_repo`, instead of the instance's own. */
  cloneUrlOrigin: string | null;
  /** Username of the owner of a personal project. */
  owner: string | null;
  createdAt: Date;
  lastActivityAt: Date;
  defaultRole: Role;
  roles: Map<number, Role>;
  /** Restrictions of the top-level group. */
  ssoEnforced: boolean;
  granularEnforced: boolean;
  ipRestricted: boolean;
};

/** Settings of the whole instance. */
export type InstanceSettings = {
  /** The external URL of GitLab: scheme, host, port and path. */
  externalUrl: string;
  maxTokenLifetimeDays: number;
  requireTokenExpiry: boolean;
  legacyRotationDisabled: boolean;
  maintenanceMode: boolean;
  gitOverHttp: boolean;
  /** IDs of projects that GitLab cannot serialize: every answer with one of them is a 500. */
  brokenProjects: readonly number[];
};

export type World = {
  clock: Clock;
  data: GitlabData;
  settings: InstanceSettings;
  users: Map<number, User>;
  tokens: Map<number, Token>;
  projects: Map<number, Project>;
  namespaces: Map<string, number>;
  nextId: Record<'user' | 'token' | 'project' | 'namespace', number>;
};

/** An instance without users or projects. The first IDs are those of the examples in the data files. */
export function createWorld(parts: { clock: Clock; data: GitlabData; settings: InstanceSettings }): World {
  return {
    ...parts,
    users: new Map(),
    tokens: new Map(),
    projects: new Map(),
    namespaces: new Map(),
    nextId: { user: 1337, token: 42, project: 15, namespace: 77 },
  };
}

/** Returns the next ID of a kind; an ID is never reused. */
export function takeId(world: World, kind: keyof World['nextId']): number {
  const id = world.nextId[kind];
  world.nextId[kind] += 1;
  return id;
}

/** The ID of a group or user namespace, assigned on first use. */
export function namespaceId(world: World, path: string): number {
  const known = world.namespaces.get(path);
  if (known !== undefined) return known;
  const id = takeId(world, 'namespace');
  world.namespaces.set(path, id);
  return id;
}

export function isBot(user: User): boolean {
  return user.kind !== 'human';
}

/** @throws Error when there is no such user */
export function userById(world: World, id: number): User {
  const user = world.users.get(id);
  if (user === undefined) throw new Error(`no user ${id}`);
  return user;
}
