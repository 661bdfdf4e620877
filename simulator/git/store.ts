import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Recipe } from '../recipes/recipe.ts';
import type { Tips } from './fast-import.ts';
import { storeStream } from './fast-import.ts';
import { writeRawObject } from './objects.ts';
import { runGit } from './run.ts';

/** A bare repository with the objects of many recipes; never changes after it is built. */
export type Store = {
  folder: string;
  /** Commit ids by recipe name and branch. */
  heads: Map<string, Map<string, string>>;
};

const MARKS = 'marks';
const BATCH_BYTES = 262_144;

/**
 * Builds the recipes' history, or finds the one that an earlier run built. The name of the store is a hash of its
 * input, so a changed recipe never uses an old store.
 * @throws Error when git refuses a recipe
 */
export async function openStore(options: { cacheFolder: string; recipes: Recipe[] }): Promise<Store> {
  const { cacheFolder, recipes } = options;
  const { hash, tips } = fingerprint(recipes);
  const folder = join(cacheFolder, `${hash}.git`);
  if (!(await exists(folder))) await buildStore({ cacheFolder, recipes, folder });
  const commits = parseMarks(await readFile(join(folder, MARKS), 'utf8'));
  const heads = [...tips].map(([name, branches]): [string, Map<string, string>] => [
    name,
    new Map([...branches].map(([branch, mark]) => [branch, commitOf(commits, mark)])),
  ]);
  return { folder, heads: new Map(heads) };
}

async function buildStore(options: {
  cacheFolder: string;
  recipes: Recipe[];
  folder: string;
}): Promise<void> {
  const { cacheFolder: home, recipes, folder } = options;
  const draft = join(home, `draft-${randomUUID()}.git`);
  const format = `--object-format=${formatOf(recipes)}`;
  await mkdir(home, { recursive: true });
  try {
    await runGit({ home, args: ['init', '--quiet', '--bare', '--template=', format, draft] });
    for (const object of recipes.flatMap((recipe) => recipe.rawObjects ?? []))
      await writeRawObject(draft, object);
    const marks = `--export-marks=${join(draft, MARKS)}`;
    await runGit({
      home,
      args: ['-C', draft, '-c', 'fastimport.unpackLimit=1', 'fast-import', '--quiet', '--force', marks],
      input: inBatches(recipes),
    });
    await rename(draft, folder);
  } catch (error) {
    // Another process may have built the same store in the meantime, with identical bytes.
    if (!(await exists(folder))) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function* inBatches(recipes: Recipe[]): Generator<Buffer> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for (const chunk of storeStream(recipes)) {
    batch.push(chunk);
    bytes += chunk.length;
    if (bytes < BATCH_BYTES) continue;
    yield Buffer.concat(batch);
    batch = [];
    bytes = 0;
  }
  yield Buffer.concat(batch);
}

function fingerprint(recipes: Recipe[]): { hash: string; tips: Tips } {
  const hash = createHash('sha256').update(formatOf(recipes));
  const stream = storeStream(recipes);
  for (;;) {
    const next = stream.next();
    if (next.done === true) return { hash: hash.digest('hex').slice(0, 40), tips: next.value };
    hash.update(next.value);
  }
}

function formatOf(recipes: Recipe[]): string {
  return recipes[0]?.objectFormat ?? 'sha1';
}

function parseMarks(text: string): Map<number, string> {
  const lines = text.trim().split('\n');
  return new Map(
    lines.map((line) => [Number(line.slice(1, line.indexOf(' '))), line.slice(line.indexOf(' ') + 1)]),
  );
}

function commitOf(commits: Map<number, string>, mark: number): string {
  const commit = commits.get(mark);
  if (commit === undefined) throw new Error(`the store has no commit for the mark ${mark}`);
  return commit;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
