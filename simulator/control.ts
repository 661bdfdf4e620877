import type { Clock } from './clock.ts';
import type { Faults } from './faults.ts';
import type { BanList } from './git/bans.ts';
import type { Repositories } from './git/repositories.ts';
import type { Webhook } from './hooks.ts';
import { deliverHook, pushBody } from './hooks.ts';
import type { Listener } from './listener.ts';
import type { Role } from './project-access.ts';
import { addProjectOf, projectByPath } from './projects.ts';
import type { CommitRecipe, Recipe } from './recipes/recipe.ts';
import type { RequestLog } from './requests.ts';
import type { NewToken } from './tokens.ts';
import { addToken } from './tokens.ts';
import type { InstanceSettings, Project, Token, User, UserKind, World } from './world.ts';
import { takeId, userById } from './world.ts';

/** A project by ID, by its current path, or by the name of its recipe. */
export type ProjectRef = number | string;

export type NewUser = {
  username?: string | undefined;
  name?: string | undefined;
  kind?: UserKind | undefined;
  /** False: the user sees no project until `setRole` gives access. */
  member?: boolean | undefined;
};

/** All changes that a test may make to a running instance. */
export type SimulatorControl = {
  /** Sets the clock to an instant, or to an offset from the real time in milliseconds. */
  setClock(to: string | number): void;
  now(): Date;
  setInstance(settings: Partial<InstanceSettings>): void;
  createUser(user?: NewUser): { id: number; username: string };
  blockUser(userId: number, state?: User['state']): void;
  createToken(token: Omit<NewToken, 'userId'> & { userId?: number | undefined }): {
    id: number;
    token: string;
    expiresAt: string | null;
  };
  revokeToken(tokenId: number): void;
  /** Like GitLab's clean-up job: the token is then unknown, not revoked. */
  deleteToken(tokenId: number): void;
  setTokenScopes(tokenId: number, scopes: string[]): void;
  setTokenExpiry(tokenId: number, expiresAt: string | null): void;
  /** Returns the token without its value. */
  token(tokenId: number): Omit<Token, 'secret'>;
  addProject(recipe: Recipe): Promise<{ id: number; path: string }>;
  /**
   * Adds many projects with one shared history, `<path>-1` and so on, for benchmarks. IDs have gaps of up to
   * `maxGap`, like for a user who is a member of few of many projects.
   */
  addCopies(options: { recipe: Recipe; count: number; maxGap: number }): Promise<void>;
  project(ref: ProjectRef): { id: number; path: string; archived: boolean; lastActivityAt: Date };
  /** The old path still works until another project takes it. */
  renameProject(ref: ProjectRef, path: string): void;
  removeProject(ref: ProjectRef): void;
  /** Level 0 removes the membership. */
  setRole(options: { project: ProjectRef; userId: number } & Role): void;
  /** The role of all users without their own role. */
  setDefaultRole(ref: ProjectRef, role: Role): void;
  archive(ref: ProjectRef, archived?: boolean): void;
  disableRepository(ref: ProjectRef, disabled?: boolean): void;
  protectBranch(ref: ProjectRef, branch: string): void;
  markForDeletion(ref: ProjectRef, date: string | null): void;
  /** Sets restrictions of the top-level group. */
  restrict(
    ref: ProjectRef,
    rules: Partial<Pick<Project, 'ssoEnforced' | 'granularEnforced' | 'ipRestricted'>>,
  ): void;
  /** Creates a real commit on the default branch (or another one) and updates `last_activity_at`. */
  pushCommit(
    options: { project: ProjectRef } & Pick<CommitRecipe, 'files'> & {
        message?: string | undefined;
        branch?: string | undefined;
      },
  ): Promise<{ commit: string }>;
  /** Adds a webhook that every `pushCommit` calls, of whatever project. @returns a function that removes it */
  addWebhook(webhook: Webhook): () => void;
  /** Writes a commit with this tree, on no branch. Default: no parents, the message `x`. @returns its ID */
  commitTree(
    ref: ProjectRef,
    commit: { tree: string; parents?: readonly string[] | undefined; message?: string | undefined },
  ): Promise<string>;
  head(ref: ProjectRef, branch?: string): Promise<string | null>;
  /** Runs git in the served repository, to create objects and refs that a push cannot create. */
  git(ref: ProjectRef, args: string[], input?: Iterable<Buffer>): Promise<Buffer>;
  /** The paths of all files at a commit. */
  files(ref: ProjectRef, commit: string): Promise<string[]>;
  /** Lifts the ban on addresses with failed Git authentications. */
  forgiveBans(): void;
  /** Refuses connections until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
  faults: Faults;
  requests: RequestLog;
  /** Errors of the simulator itself; if a test has any, the simulator has a bug. */
  failures(): readonly string[];
};

export function createControl(parts: {
  world: World;
  clock: Clock;
  repositories: Repositories;
  faults: Faults;
  requests: RequestLog;
  bans: BanList;
  listener: Listener;
  failures: readonly string[];
}): SimulatorControl {
  const { world } = parts;
  return {
    ...instanceControl(parts),
    ...tokenControl(world),
    ...projectControl(world, parts.repositories),
    ...codeControl(world, parts.repositories),
    faults: parts.faults,
    requests: parts.requests,
    failures: () => parts.failures,
  };
}

function instanceControl({
  world,
  clock,
  bans,
  listener,
}: {
  world: World;
  clock: Clock;
  bans: BanList;
  listener: Listener;
}) {
  return {
    setClock: (to: string | number) => clock.set(to),
    now: () => clock.now(),
    setInstance(settings: Partial<InstanceSettings>) {
      Object.assign(world.settings, settings);
    },
    forgiveBans: () => bans.clear(),
    down: () => listener.down(),
    up: () => listener.up(),
  };
}

function tokenControl(world: World) {
  const tokenById = (id: number): Token => {
    const token = world.tokens.get(id);
    if (token === undefined) throw new Error(`no token ${id}`);
    return token;
  };
  const createUser = (user: NewUser = {}) => {
    const id = takeId(world, 'user');
    const kind = user.kind ?? 'service_account';
    const username = user.username ?? usernameOf(kind, id);
    const name = user.name ?? (kind === 'human' ? 'Jane Doe' : 'Secu scanner');
    const createdAt = new Date('2022-01-10T08:00:00.000Z');
    world.users.set(id, {
      id,
      kind,
      username,
      name,
      createdAt,
      state: 'active',
      member: user.member ?? true,
    });
    return { id, username };
  };
  return {
    createUser,
    blockUser(userId: number, state: User['state'] = 'blocked') {
      userById(world, userId).state = state;
    },
    createToken(options: Omit<NewToken, 'userId'> & { userId?: number | undefined }) {
      const token = addToken(world, { ...options, userId: options.userId ?? createUser().id });
      return { id: token.id, token: token.secret, expiresAt: token.expiresAt };
    },
    revokeToken(tokenId: number) {
      tokenById(tokenId).revoked = true;
    },
    deleteToken: (tokenId: number) => void world.tokens.delete(tokenById(tokenId).id),
    setTokenScopes(tokenId: number, scopes: string[]) {
      tokenById(tokenId).scopes = scopes;
    },
    setTokenExpiry(tokenId: number, expiresAt: string | null) {
      tokenById(tokenId).expiresAt = expiresAt;
    },
    token(tokenId: number) {
      const { secret: _secret, ...rest } = tokenById(tokenId);
      return rest;
    },
  };
}

function usernameOf(kind: UserKind, id: number): string {
  const suffix = id.toString(16).padStart(16, '0');
  const names: Record<UserKind, string> = {
    human: `person-${id}`,
    service_account: `service_account_group_77_${suffix}`,
    group_token_bot: `group_77_bot_${suffix}${suffix}`,
    project_token_bot: `project_15_bot_${suffix}${suffix}`,
  };
  return names[kind];
}

function projectFinder(world: World) {
  return (ref: ProjectRef): Project => {
    const byName = () => [...world.projects.values()].find(({ recipe }) => recipe.name === ref);
    const project =
      typeof ref === 'number' ? world.projects.get(ref) : (projectByPath(world, ref) ?? byName());
    if (project === undefined) throw new Error(`no project ${ref}`);
    return project;
  };
}

function projectControl(world: World, repositories: Repositories) {
  const find = projectFinder(world);
  const shown = ({ id, path, archived, lastActivityAt }: Project) => ({ id, path, archived, lastActivityAt });
  return {
    async addProject(recipe: Recipe) {
      await repositories.prepare([recipe]);
      const project = addProjectOf(world, recipe);
      project.lastActivityAt = world.clock.now();
      return shown(project);
    },
    async addCopies({ recipe, count, maxGap }: { recipe: Recipe; count: number; maxGap: number }) {
      await repositories.prepare([recipe]);
      for (let number = 1; number <= count; number += 1) {
        // The same gaps in every run.
        world.nextId.project += (number * 7_919) % (maxGap + 1);
        addProjectOf(world, { ...recipe, path: `${recipe.path}-${number}` }, { isNewPath: true });
      }
    },
    project: (ref: ProjectRef) => shown(find(ref)),
    renameProject(ref: ProjectRef, path: string) {
      const project = find(ref);
      if (projectByPath(world, path)?.path === path) throw new Error(`the path ${path} is taken`);
      project.oldPaths.push(project.path);
      project.path = path;
    },
    removeProject: (ref: ProjectRef) => void world.projects.delete(find(ref).id),
    setRole({ project, userId, level, via }: { project: ProjectRef; userId: number } & Role) {
      find(project).roles.set(userById(world, userId).id, { level, via });
    },
    setDefaultRole(ref: ProjectRef, role: Role) {
      find(ref).defaultRole = role;
    },
    archive(ref: ProjectRef, archived = true) {
      find(ref).archived = archived;
    },
    disableRepository(ref: ProjectRef, disabled = true) {
      find(ref).repositoryAccess = disabled ? 'disabled' : 'enabled';
    },
    protectBranch(ref: ProjectRef, branch: string) {
      find(ref).protectedBranches.add(branch);
    },
    markForDeletion(ref: ProjectRef, date: string | null) {
      find(ref).markedForDeletionOn = date;
    },
    restrict(
      ref: ProjectRef,
      rules: Partial<Pick<Project, 'ssoEnforced' | 'granularEnforced' | 'ipRestricted'>>,
    ) {
      Object.assign(find(ref), rules);
    },
  };
}

function codeControl(world: World, repositories: Repositories) {
  const find = projectFinder(world);
  const webhooks = new Set<Webhook>();
  return {
    addWebhook(webhook: Webhook) {
      webhooks.add(webhook);
      return () => void webhooks.delete(webhook);
    },
    async pushCommit(options: Parameters<SimulatorControl['pushCommit']>[0]) {
      const project = find(options.project);
      const { files, branch } = options;
      const at = world.clock.now();
      const commit = await repositories.commit({
        project,
        at,
        commit: { files, message: options.message ?? 'Change', ...(branch === undefined ? {} : { branch }) },
      });
      project.lastActivityAt = at;
      const body = pushBody({ project, commit, branch: branch ?? project.defaultBranch });
      for (const webhook of webhooks) await deliverHook({ webhook, event: 'Push Hook', body });
      return { commit };
    },
    async commitTree(ref: ProjectRef, commit: Parameters<SimulatorControl['commitTree']>[1]) {
      const { tree, parents = [], message = 'x' } = commit;
      const author = ['-c', 'user.name=A', '-c', 'user.email=a@example.com'];
      const options = [...parents.flatMap((id) => ['-p', id]), '-m', message];
      const printed = await repositories.git(find(ref), [...author, 'commit-tree', tree, ...options]);
      return printed.toString().trim();
    },
    git: (ref: ProjectRef, args: string[], input?: Iterable<Buffer>) =>
      repositories.git(find(ref), args, input),
    async head(ref: ProjectRef, branch?: string) {
      const project = find(ref);
      return repositories.head(project, branch ?? project.defaultBranch);
    },
    async files(ref: ProjectRef, commit: string) {
      const listing = await repositories.git(find(ref), ['ls-tree', '-r', '-z', '--name-only', commit]);
      return listing.toString().split('\0').slice(0, -1);
    },
  };
}
