import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SecuError } from '../domain/errors.ts';

/**
 * The commit that `git fetch` fetched, from FETCH_HEAD. The file also holds the address, so it is deleted.
 * @throws SecuError `clone_failed` if the file names no commit, because that does not prove an empty repository
 */
export async function readFetchedCommit(gitDirectory: string): Promise<string> {
  const file = join(gitDirectory, 'FETCH_HEAD');
  const [, commit] = /^([0-9a-f]{40})\t/.exec(await readFile(file, 'utf8')) ?? [];
  await rm(file);
  if (commit !== undefined) return commit;
  throw new SecuError('clone_failed', 'git did not report which commit it fetched', {
    details: { problem: 'not_told' },
  });
}
