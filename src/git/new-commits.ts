import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../domain/system-error.ts';
import { GIT_LOCAL_LIMITS } from '../subprocess/limits.ts';
import { localGitEnvironment } from '../subprocess/local-git.ts';
import type { Fence } from '../subprocess/process.ts';
import { runProcess } from '../subprocess/process.ts';
import type { Refusal } from './refusals.ts';

/** About six million commits. */
const MAX_LIST_BYTES = 256 * 1024 * 1024;

export const UNREADABLE_CLONE: Refusal = { code: 'clone_failed', problem: 'history_unreadable' };

/** The commits of a clone that the known ones do not reach. */
export interface NewCommits {
  /** False if the clone is too shallow to hold all of them. */
  isComplete: boolean;
  /** Known commits that are parents of new ones, or are still the newest of a branch. */
  continues: string[];
}

/**
 * Compares a clone with the commits whose history was read before. Known commits that the clone does not hold are
 * ignored. Returns `null` if git cannot walk the commits.
 */
export async function findNewCommits(input: {
  gitDirectory: string;
  tips: readonly string[];
  known: readonly string[];
  fence: Fence;
  signal: AbortSignal;
}): Promise<NewCommits | null> {
  const { gitDirectory, tips, known, fence, signal } = input;
  const revisions = [...tips, ...known.map((commit) => `^${commit}`)];
  const { exitCode, stdout } = await runProcess({
    command: 'git',
    args: ['rev-list', '--boundary', '--ignore-missing', '--stdin'],
    env: localGitEnvironment({ gitDirectory, folder: gitDirectory }),
    folder: gitDirectory,
    fence,
    limits: GIT_LOCAL_LIMITS,
    input: [Buffer.from(revisions.map((revision) => `${revision}\n`).join(''))],
    maxStdoutBytes: MAX_LIST_BYTES,
    signal,
  });
  if (exitCode !== 0) return null;
  const shallow = await shallowCommits(gitDirectory);
  const boundary = new Set<string>();
  let isComplete = true;
  for (const line of stdout.toString('latin1').split('\n')) {
    if (line.startsWith('-')) boundary.add(line.slice(1));
    else if (shallow.has(line)) isComplete = false;
  }
  const newest = new Set(tips);
  return { isComplete, continues: known.filter((commit) => boundary.has(commit) || newest.has(commit)) };
}

/** The commits whose parents were not fetched. @see gitrepository-layout(5) */
async function shallowCommits(gitDirectory: string): Promise<ReadonlySet<string>> {
  try {
    const text = await readFile(join(gitDirectory, 'shallow'), 'utf8');
    return new Set(text.split('\n').filter((line) => line !== ''));
  } catch (err) {
    if (isSystemError(err, 'ENOENT')) return new Set();
    throw err;
  }
}
