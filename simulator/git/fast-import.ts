import type { CommitRecipe, FileContent, Recipe } from '../recipes/recipe.ts';

const AUTHOR = { name: 'Robin Example', email: 'robin@example.com' };
/** The first commit of every recipe: 2026-01-05 09:00 UTC; each later one is an hour after. */
const FIRST_COMMIT_SECONDS = 1_767_603_600;

/** Where a recipe's branches lie in the store that it shares with others. */
export function storeRef(recipe: Recipe, branch: string): string {
  return `refs/recipes/${recipe.name}/${branch}`;
}

/** The instructions for `git fast-import` that make a recipe's history in a store. */
export function* recipeStream(recipe: Recipe): Generator<Buffer> {
  let seconds = FIRST_COMMIT_SECONDS;
  const tips = new Set<string>();
  const main = recipe.defaultBranch ?? 'main';
  for (const commit of recipe.commits()) {
    const ref = storeRef(recipe, commit.branch ?? main);
    const parent = tips.has(ref) || !tips.has(storeRef(recipe, main)) ? null : storeRef(recipe, main);
    yield* commitStream({ commit, ref, seconds, parent });
    tips.add(ref);
    seconds += 3600;
  }
}

/**
 * One commit on top of `ref`.
 * @param options.parent what a new branch starts from; null goes on from `ref`, or begins a history
 */
export function* commitStream(options: {
  commit: CommitRecipe;
  ref: string;
  seconds: number;
  parent: string | null;
}): Generator<Buffer> {
  const { name, email } = options.commit.author ?? AUTHOR;
  const who = `${name} <${email}> ${options.seconds} +0000`;
  yield Buffer.from(`commit ${options.ref}\nauthor ${who}\ncommitter ${who}\n`);
  yield* data(options.commit.message);
  if (options.parent !== null) yield Buffer.from(`from ${options.parent}\n`);
  if (options.commit.rootTree !== undefined) yield Buffer.from(`M 040000 ${options.commit.rootTree} ""\n`);
  for (const [path, content] of Object.entries(options.commit.files)) yield* file(path, content);
  yield Buffer.from('\n');
}

function* file(path: string, content: FileContent): Generator<Buffer> {
  const name = quote(path);
  if (content === null) {
    yield Buffer.from(`D ${name}\n`);
  } else if (typeof content === 'string' || content instanceof Uint8Array) {
    yield Buffer.from(`M 100644 inline ${name}\n`);
    yield* data(content);
  } else if ('submodule' in content) {
    yield Buffer.from(`M 160000 ${content.submodule} ${name}\n`);
  } else {
    yield Buffer.from(`M ${content.mode} inline ${name}\n`);
    yield* data(content.content);
  }
}

function* data(content: string | Uint8Array): Generator<Buffer> {
  const bytes = Buffer.from(content);
  yield Buffer.from(`data ${bytes.length}\n`);
  yield bytes;
  yield Buffer.from('\n');
}

function quote(path: string): string {
  const escaped = path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `"${escaped}"`;
}
