import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../domain/system-error.ts';

const OBJECT_ID = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** `HEAD` of a bare clone: a commit, or the branch that it names. */
export interface LocalHead {
  /** `null` when the repository has no commit. */
  commit: string | null;
  branch: string | null;
}

/** Reads the files of a bare clone, which costs no process. */
export async function localHead(gitDirectory: string): Promise<LocalHead> {
  const head = (await read(join(gitDirectory, 'HEAD'))).trim();
  const branch = /^ref: refs\/heads\/(.+)$/.exec(head)?.[1] ?? null;
  return { commit: await commitOf(gitDirectory, head), branch };
}

async function commitOf(gitDirectory: string, head: string): Promise<string | null> {
  if (OBJECT_ID.test(head)) return head;
  const ref = /^ref: (refs\/heads\/.+)$/.exec(head)?.[1];
  if (ref === undefined || ref.split('/').includes('..')) return null;
  const loose = (await read(join(gitDirectory, ref))).trim();
  if (OBJECT_ID.test(loose)) return loose;
  const packed = await read(join(gitDirectory, 'packed-refs'));
  return (
    packed
      .split('\n')
      .find((line) => line.slice(line.indexOf(' ') + 1) === ref)
      ?.split(' ')[0] ?? null
  );
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (err) {
    if (isSystemError(err, 'ENOENT', 'ENOTDIR')) return '';
    throw err;
  }
}

/** Whether a bare clone has any branch. */
export async function hasBranches(gitDirectory: string): Promise<boolean> {
  if (/ refs\/heads\//.test(await read(join(gitDirectory, 'packed-refs')))) return true;
  try {
    return (await readdir(join(gitDirectory, 'refs', 'heads'))).length > 0;
  } catch (err) {
    if (isSystemError(err, 'ENOENT')) return false;
    throw err;
  }
}

/** Branches of a fresh clone, which git packs into one file. */
export async function localBranches(gitDirectory: string): Promise<ReadonlyMap<string, string>> {
  const packed = await read(join(gitDirectory, 'packed-refs'));
  return new Map(
    packed.split('\n').flatMap((line): [string, string][] => {
      const [, commit, name] = /^([0-9a-f]{40,64}) refs\/heads\/(.+)$/.exec(line) ?? [];
      return commit === undefined || name === undefined ? [] : [[name, commit]];
    }),
  );
}
