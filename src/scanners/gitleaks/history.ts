import type { GitObjects } from '../git-objects.ts';

const FIELD = '\u0001';
const REGULAR_FILE = /^:\d+ (?:100\d{3}) [0-9a-f]+ ([0-9a-f]+) [A-Z]\d*$/;

/**
 * The `git log` that gitleaks reads and that we count for comparison: every commit of the branch, merges against
 * their first parent (the changes of the merge itself are in no other commit), files as they were, without
 * deletions.
 */
export const HISTORY_OPTIONS = [
  '--no-renames',
  '--diff-merges=first-parent',
  '--full-history',
  '--diff-filter=d',
];

/** gitleaks misreads how git quotes a name that ends in a backslash, and everything after it. */
const UNREADABLE = '*\\\\';

/** For the commits that these revisions select, in the order of the command line. */
export function historyArguments(revisions: readonly string[]): string[] {
  return [...HISTORY_OPTIONS, ...revisions, '--', `:(exclude)${UNREADABLE}`];
}

/** For these commits only. */
export function commitArguments(commits: readonly string[]): string[] {
  return [...HISTORY_OPTIONS, '--no-walk=unsorted', ...commits, '--', `:(exclude)${UNREADABLE}`];
}

/** A version of a file that a commit added. */
export interface FileVersion {
  commit: string;
  objectId: string;
  path: string;
}

export interface History {
  /** Commits that add or remove a line, newest first: gitleaks must have read this number of commits. */
  commitsWithText: string[];
  /** By commit; 0 is the newest. */
  rank: ReadonlyMap<string, number>;
  /** Every version of every regular file, newest first. */
  versions: FileVersion[];
  /** Size of each object in bytes. */
  sizes: ReadonlyMap<string, number>;
}

/** The history as git reports it, to compare with what gitleaks read. */
export async function readHistory(input: {
  git: GitObjects;
  revisions: readonly string[];
}): Promise<History> {
  const { git, revisions } = input;
  const output = await git.run(['log', `--format=${FIELD}%H`, '--numstat', ...historyArguments(revisions)]);
  const rank = new Map<string, number>();
  const commitsWithText: string[] = [];
  for (const block of output.toString('latin1').split(FIELD).slice(1)) {
    const [id = '', ...lines] = block.split('\n');
    rank.set(id, rank.size);
    if (lines.some((line) => /^(?:[1-9]\d*\t\d+|\d+\t[1-9]\d*)\t/.test(line))) commitsWithText.push(id);
  }
  const versions = await readVersions(input);
  const sizes = await readSizes({ git, objectIds: [...new Set(versions.map(({ objectId }) => objectId))] });
  return { commitsWithText, rank, versions, sizes };
}

/** Paths that are excluded from the run of gitleaks because of their names. */
export function unreadablePaths({ versions }: Pick<History, 'versions'>): string[] {
  return [...new Set(versions.filter(({ path }) => path.endsWith('\\')).map(({ path }) => path))];
}

/**
 * Paths that were ever larger than this: excluded from the run of gitleaks, because reading all versions would
 * take too long.
 */
export function largePaths({ versions, sizes }: History, blobMaxBytes: number): string[] {
  const large = versions.filter(({ objectId }) => (sizes.get(objectId) ?? 0) > blobMaxBytes);
  return [...new Set(large.map(({ path }) => path))];
}

async function readVersions({ git, revisions }: Parameters<typeof readHistory>[0]): Promise<FileVersion[]> {
  const options = ['--raw', '-z', '--no-abbrev', `--format=${FIELD}%H`, ...HISTORY_OPTIONS];
  const args = ['log', ...options, ...revisions, '--'];
  const tokens = (await git.run(args)).toString('latin1').split('\0');
  const versions: FileVersion[] = [];
  let current = '';
  for (let index = 0; index < tokens.length; index += 1) {
    const token = (tokens[index] ?? '').replace(/^\n/, '');
    if (token.startsWith(FIELD)) current = token.slice(1);
    if (!token.startsWith(':')) continue;
    index += 1; // the path follows
    const objectId = REGULAR_FILE.exec(token)?.[1];
    if (objectId === undefined) continue;
    versions.push({
      commit: current,
      objectId,
      path: Buffer.from(tokens[index] ?? '', 'latin1').toString('utf8'),
    });
  }
  return versions;
}

async function readSizes(input: {
  git: GitObjects;
  objectIds: readonly string[];
}): Promise<Map<string, number>> {
  const { git, objectIds } = input;
  if (objectIds.length === 0) return new Map();
  const output = await git.run(
    ['cat-file', '--batch-check=%(objectname) %(objectsize)', '--buffer'],
    [Buffer.from(objectIds.map((id) => `${id}\n`).join(''))],
  );
  const lines = output.toString('latin1').split('\n');
  return new Map(
    lines.flatMap((line): [string, number][] => {
      const [id = '', size = ''] = line.split(' ');
      return /^\d+$/.test(size) ? [[id, Number(size)]] : [];
    }),
  );
}
