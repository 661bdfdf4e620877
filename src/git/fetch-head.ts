import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SecuError } from '../domain/errors.ts';
import type { BranchTip } from '../domain/ports.ts';

export interface Fetched {
  /** The commit of the first ref that was asked for. */
  commit: string;
  /** The other branches. */
  tips: BranchTip[];
}

/** `<commit>\t[not-for-merge]\tbranch '<name>' of <address>` @see git-fetch(1); git, `builtin/fetch.c` */
const BRANCH_LINE = /^([0-9a-f]{40})\t(?:not-for-merge)?\tbranch '(.+)' of /;

/**
 * What `git fetch` fetched, from FETCH_HEAD. The file also holds the address, so it is deleted.
 * @throws SecuError `clone_failed` if the file names no commit, because that does not prove an empty repository
 */
export async function readFetched(gitDirectory: string): Promise<Fetched> {
  const file = join(gitDirectory, 'FETCH_HEAD');
  const [first = '', ...others] = (await readFile(file, 'utf8')).split('\n');
  await rm(file);
  const [, commit] = /^([0-9a-f]{40})\t/.exec(first) ?? [];
  if (commit === undefined)
    throw new SecuError('clone_failed', 'git did not report which commit it fetched', {
      details: { problem: 'not_told' },
    });
  const tips = others.flatMap((line): BranchTip[] => {
    const [, tip, name] = BRANCH_LINE.exec(line) ?? [];
    return tip === undefined || name === undefined ? [] : [{ name, commit: tip }];
  });
  return { commit, tips };
}
