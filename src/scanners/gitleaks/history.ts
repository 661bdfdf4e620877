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

/** gitleaks cannot read git's quoting of a name that ends in a backslash, and goes astray in what follows it. */
const UNREADABLE = '*\\\\';

/** What both are told to read, in the order of the command line. */
export function historyArguments(commit: string): string[] {
  return [...HISTORY_OPTIONS, commit, '--', `:(exclude)${UNREADABLE}`];
}

export interface History {
  /** How many commits add or take a line, which is how many gitleaks must have seen. */
  commitsWithText: number;
  /** By commit: 0 is the newest. */
  rank: ReadonlyMap<string, number>;
  /** Paths that gitleaks is not given. */
  unreadable: number;
}

/** The history by git's own account, to hold that of gitleaks against. */
export async function readHistory({ git, commit }: { git: GitObjects; commit: string }): Promise<History> {
  const output = await git.run(['log', `--format=${FIELD}%H`, '--numstat', ...historyArguments(commit)]);
  const rank = new Map<string, number>();
  let commitsWithText = 0;
  for (const block of output.toString('latin1').split(FIELD).slice(1)) {
    const [id = '', ...lines] = block.split('\n');
    rank.set(id, rank.size);
    if (lines.some((line) => /^(?:[1-9]\d*\t\d+|\d+\t[1-9]\d*)\t/.test(line))) commitsWithText += 1;
  }
  const names = ['log', '--format=', '--name-only', '-z', ...HISTORY_OPTIONS, commit, '--', UNREADABLE];
  const passedOver = (await git.run(names))
    .toString('latin1')
    .split('\0')
    .filter((name) => name !== '');
  return { commitsWithText, rank, unreadable: new Set(passedOver).size };
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
