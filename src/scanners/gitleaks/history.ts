import type { GitObjects } from '../git-objects.ts';

const FIELD = '\u0001';

/**
 * What gitleaks is given to read, so that both read the same: every commit of the branch, merges against their first
 * parent (what a merge itself brought in is in no other commit), files as they were, without what was deleted.
 */
export const HISTORY_OPTIONS = [
  '--no-renames',
  '--diff-merges=first-parent',
  '--full-history',
  '--diff-filter=d',
];

export interface History {
  /** How many commits add or take a line, which is how many gitleaks must have seen. */
  commitsWithText: number;
  /** By commit: 0 is the newest. */
  rank: ReadonlyMap<string, number>;
}

/** The history by git's own account, to hold that of gitleaks against. */
export async function readHistory({ git, commit }: { git: GitObjects; commit: string }): Promise<History> {
  const output = await git.run(['log', `--format=${FIELD}%H`, '--numstat', ...HISTORY_OPTIONS, commit]);
  const rank = new Map<string, number>();
  let commitsWithText = 0;
  for (const block of output.toString('latin1').split(FIELD).slice(1)) {
    const [id = '', ...lines] = block.split('\n');
    rank.set(id, rank.size);
    if (lines.some((line) => /^(?:[1-9]\d*\t\d+|\d+\t[1-9]\d*)\t/.test(line))) commitsWithText += 1;
  }
  return { commitsWithText, rank };
}

/** Paths of the history that ever held more than so many bytes: to be left out, or reading them would never end. */
export async function largePaths(input: {
  git: GitObjects;
  commit: string;
  blobMaxBytes: number;
}): Promise<string[]> {
  const { git, commit, blobMaxBytes } = input;
  const objects = await git.run(['rev-list', '--objects', commit]);
  const check = ['cat-file', '--batch-check=%(objecttype) %(objectsize) %(rest)', '--buffer'];
  const sizes = await git.run(check, [objects]);
  const paths = sizes
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      const match = /^blob (\d+) (.+)$/.exec(line);
      return match !== null && Number(match[1]) > blobMaxBytes ? [match[2] ?? ''] : [];
    });
  return [...new Set(paths)];
}
