import type { CommitRecipe, FileContent, Recipe } from '../recipes/recipe.ts';

const AUTHOR = { name: 'Robin Example', email: 'robin@example.com' };
/** Time of the first commit of every recipe: 2026-01-05 09:00 UTC; each further commit is an hour later. */
const FIRST_COMMIT_SECONDS = 1_767_603_600;

/** The mark of the last commit of each branch, by recipe name and branch. */
export type Tips = Map<string, Map<string, number>>;

/**
 * Instructions for `git fast-import` that create the histories of many recipes in one repository. They have no
 * refs, because git would write one file for each; their marks name the commits.
 */
export function* storeStream(recipes: Recipe[]): Generator<Buffer, Tips> {
  const tips: Tips = new Map();
  let mark = 0;
  for (const recipe of recipes) {
    let seconds = FIRST_COMMIT_SECONDS;
    const main = recipe.defaultBranch ?? 'main';
    const branches = new Map<string, number>();
    for (const commit of recipe.commits()) {
      mark += 1;
      const branch = commit.branch ?? main;
      const parent = branches.get(branch) ?? branches.get(main);
      const from = parent === undefined ? null : `:${parent}`;
      yield* commitStream({ commit, ref: 'refs/heads/import', seconds, from, mark });
      branches.set(branch, mark);
      seconds += 3600;
    }
    tips.set(recipe.name, branches);
  }
  return tips;
}

/**
 * One commit that `ref` then points to.
 * @param options.from its parent; null for the first commit of a history
 */
export function* commitStream(options: {
  commit: CommitRecipe;
  ref: string;
  seconds: number;
  from: string | null;
  mark: number;
}): Generator<Buffer> {
  const { commit, ref, from } = options;
  const { name, email } = commit.author ?? AUTHOR;
  const who = `${name} <${email}> ${options.seconds} +0000`;
  if (from === null) yield Buffer.from(`reset ${ref}\n`);
  yield Buffer.from(`commit ${ref}\nmark :${options.mark}\nauthor ${who}\ncommitter ${who}\n`);
  yield* data(commit.message);
  if (from !== null) yield Buffer.from(`from ${from}\n`);
  if (commit.rootTree !== undefined) yield Buffer.from(`M 040000 ${commit.rootTree} ""\n`);
  for (const [path, content] of Object.entries(commit.files)) yield* file(path, content);
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

/** The path in bytes; `Recipe` describes the notation of bytes that are not UTF-8. */
function quote(path: string): string {
  const escaped = path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const octal = (mark: string) => `\\${(mark.charCodeAt(0) - 0xdc00).toString(8)}`;
  return `"${escaped.replaceAll(/[\u{dc80}-\u{dcff}]/gu, octal)}"`;
}
