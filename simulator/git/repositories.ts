import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { CommitRecipe, Recipe } from '../recipes/recipe.ts';
import type { Project } from '../world.ts';
import { commitStream } from './fast-import.ts';
import { runGit } from './run.ts';
import type { Store } from './store.ts';
import { openStore } from './store.ts';

// The settings that Gitaly uses for upload-pack.
const CONFIG = `[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[http]
	receivepack = false
[gc]
	auto = 0
`;

/** The served bare repositories: one folder per project, which borrows its objects from a store. */
export type Repositories = {
  /** Builds or finds the history of these recipes. Call it once before their projects are served. */
  prepare(recipes: Recipe[]): Promise<void>;
  /** The folder of a project's repository, created on first use. */
  folderOf(project: Project): Promise<string>;
  /** The name of the repository for `git http-backend`, relative to `root`. */
  nameOf(project: Project): string;
  root: string;
  isEmpty(project: Project): boolean;
  /** A branch's current commit ID, including pushes; null if the branch does not exist. */
  head(project: Project, branch: string): Promise<string | null>;
  /** Adds a real commit; returns its id. */
  commit(options: { project: Project; commit: CommitRecipe; at: Date }): Promise<string>;
  /** Runs git in a project's repository. */
  git(project: Project, args: string[], input?: Iterable<Buffer>): Promise<Buffer>;
};

/**
 * @param options.root folder of the served repositories, used by one simulator only
 * @param options.cacheFolder folder of the built histories, shared by the simulators of all processes
 */
export function createRepositories(options: { root: string; cacheFolder: string }): Repositories {
  const stores = new Map<string, Store>();
  const created = new Map<number, Promise<string>>();
  const pushed = new Set<number>();
  const home = options.cacheFolder;

  const make = async (project: Project) => {
    const store = stores.get(project.recipe.name);
    if (store === undefined) throw new Error(`the recipe ${project.recipe.name} was not prepared`);
    const folder = join(options.root, `${project.id}.git`);
    await layRepository({ folder, store, project });
    return folder;
  };
  const folderOf = (project: Project) => {
    const folder = created.get(project.id) ?? make(project);
    created.set(project.id, folder);
    return folder;
  };
  const git = async (project: Project, args: string[], input?: Iterable<Buffer>) =>
    runGit({
      home,
      args: ['--git-dir', await folderOf(project), ...args],
      ...(input === undefined ? {} : { input }),
    });
  const firstHead = (project: Project, branch: string) =>
    stores.get(project.recipe.name)?.heads.get(project.recipe.name)?.get(branch) ?? null;
  const head = async (project: Project, branch: string) => {
    if (!pushed.has(project.id)) return firstHead(project, branch);
    const ref = `refs/heads/${branch}`;
    const answer = await git(project, ['for-each-ref', '--format=%(objectname)', ref]);
    return answer.toString().trim() || null;
  };

  return {
    root: options.root,
    folderOf,
    git,
    head,
    nameOf: (project) => `${project.id}.git`,
    async prepare(recipes) {
      for (const [name, store] of await openStores({ cacheFolder: home, recipes })) stores.set(name, store);
    },
    isEmpty: (project) => !pushed.has(project.id) && firstHead(project, project.defaultBranch) === null,
    async commit({ project, commit, at }) {
      const branch = commit.branch ?? project.defaultBranch;
      const ref = `refs/heads/${branch}`;
      const from = await head(project, branch);
      const seconds = Math.floor(at.getTime() / 1000);
      const stream = commitStream({ commit, ref, seconds, from, mark: 1 });
      await git(project, ['fast-import', '--quiet'], stream);
      pushed.add(project.id);
      const created = await head(project, branch);
      if (created === null) throw new Error(`the commit on ${branch} left no branch`);
      return created;
    },
  };
}

/** The store of each recipe, by name; recipes with the same object format share one. */
async function openStores(options: { cacheFolder: string; recipes: Recipe[] }): Promise<Map<string, Store>> {
  const { cacheFolder, recipes } = options;
  const stores = new Map<string, Store>();
  for (const format of ['sha1', 'sha256']) {
    const alike = recipes.filter((recipe) => (recipe.objectFormat ?? 'sha1') === format);
    if (alike.length === 0) continue;
    const store = await openStore({ cacheFolder, recipes: alike });
    for (const recipe of alike) stores.set(recipe.name, store);
  }
  return stores;
}

/** A bare repository without its own objects. */
async function layRepository(options: { folder: string; store: Store; project: Project }): Promise<void> {
  const { folder, store, project } = options;
  await mkdir(join(folder, 'objects', 'info'), { recursive: true });
  await mkdir(join(folder, 'refs'));
  const branches = store.heads.get(project.recipe.name) ?? new Map<string, string>();
  const refs = [...branches].map(([branch, commit]) => `${commit} refs/heads/${branch}`).toSorted(byRef);
  const lines = ['# pack-refs with: peeled fully-peeled sorted ', ...refs];
  await Promise.all([
    writeFile(join(folder, 'HEAD'), `ref: refs/heads/${project.defaultBranch}\n`),
    writeFile(join(folder, 'config'), CONFIG + coreConfig(project.recipe)),
    writeFile(join(folder, 'packed-refs'), lines.map((line) => `${line}\n`).join('')),
    writeFile(join(folder, 'objects', 'info', 'alternates'), `${join(store.folder, 'objects')}\n`),
  ]);
}

function coreConfig(recipe: Recipe): string {
  if (recipe.objectFormat !== 'sha256') return '[core]\n\trepositoryformatversion = 0\n\tbare = true\n';
  return '[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n';
}

function byRef(a: string, b: string): number {
  const [, refA = ''] = a.split(' ');
  const [, refB = ''] = b.split(' ');
  return Buffer.compare(Buffer.from(refA), Buffer.from(refB));
}
