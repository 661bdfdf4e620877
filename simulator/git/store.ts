import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Recipe } from '../recipes/recipe.ts';
import { recipeStream, storeRef } from './fast-import.ts';
import { writeRawObject } from './objects.ts';
import { runGit } from './run.ts';

/** Commit ids by `recipe name` and branch. */
export type StoreRefs = Map<string, Map<string, string>>;

/** A bare repository that holds the objects of many recipes; never changed after it was built. */
export type Store = { folder: string; refs: StoreRefs };

/**
 * Builds the recipes' history, or finds it built by an earlier run.
 * The store is named by the hash of what goes in, so that a changed recipe can never meet an old store.
 * @throws Error when git refuses a recipe
 */
export async function openStore(options: { cacheFolder: string; recipes: Recipe[] }): Promise<Store> {
  const format = options.recipes[0]?.objectFormat ?? 'sha1';
  const folder = join(options.cacheFolder, `${hashOf(options.recipes)}.git`);
  if (!(await exists(folder))) await buildStore({ ...options, folder, format });
  return { folder, refs: await readRefs({ folder, recipes: options.recipes, home: options.cacheFolder }) };
}

async function buildStore(options: {
  cacheFolder: string;
  recipes: Recipe[];
  folder: string;
  format: string;
}) {
  const draft = join(options.cacheFolder, `draft-${randomUUID()}.git`);
  await mkdir(options.cacheFolder, { recursive: true });
  const home = options.cacheFolder;
  try {
    await runGit({
      home,
      args: ['init', '--quiet', '--bare', '--template=', `--object-format=${options.format}`, draft],
    });
    for (const object of options.recipes.flatMap((recipe) => recipe.rawObjects ?? []))
      await writeRawObject(draft, object);
    await runGit({
      home,
      args: ['-C', draft, '-c', 'fastimport.unpackLimit=1', 'fast-import', '--quiet', '--force'],
      input: streamOf(options.recipes),
    });
    await runGit({ home, args: ['-C', draft, 'pack-refs', '--all'] });
    await rename(draft, options.folder);
  } catch (error) {
    // Another process may have built the same store meanwhile; its bytes are these bytes.
    if (!(await exists(options.folder))) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function* streamOf(recipes: Recipe[]): Generator<Buffer> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for (const recipe of recipes) {
    for (const chunk of recipeStream(recipe)) {
      batch.push(chunk);
      bytes += chunk.length;
      if (bytes < 262_144) continue;
      yield Buffer.concat(batch);
      batch = [];
      bytes = 0;
    }
  }
  yield Buffer.concat(batch);
}

function hashOf(recipes: Recipe[]): string {
  const hash = createHash('sha256');
  hash.update(recipes[0]?.objectFormat ?? 'sha1');
  for (const chunk of streamOf(recipes)) hash.update(chunk);
  return hash.digest('hex').slice(0, 40);
}

async function readRefs(options: { folder: string; recipes: Recipe[]; home: string }): Promise<StoreRefs> {
  const listing = await runGit({
    home: options.home,
    args: ['-C', options.folder, 'for-each-ref', '--format=%(objectname) %(refname)', 'refs/recipes/'],
  });
  const refs: StoreRefs = new Map(options.recipes.map((recipe) => [recipe.name, new Map()]));
  const names = new Map(options.recipes.map((recipe) => [storeRef(recipe, ''), recipe.name]));
  for (const line of listing.toString().split('\n')) {
    const [commit, ref] = line.split(' ');
    if (commit === undefined || ref === undefined) continue;
    const prefix = ref.slice(0, ref.indexOf('/', 'refs/recipes/'.length) + 1);
    const branches = refs.get(names.get(prefix) ?? '');
    branches?.set(ref.slice(prefix.length), commit);
  }
  return refs;
}

/** Whether a path exists. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
