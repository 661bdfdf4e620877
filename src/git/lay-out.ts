import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SecuError } from '../domain/errors.ts';

/** Names no branch that a fetch could write to. */
const HEAD = 'ref: refs/heads/none\n';
const CONFIG = '[core]\n\trepositoryformatversion = 0\n\tbare = true\n';

/**
 * An empty bare repository by hand, to fetch into. `git clone` makes twenty files more on its way, which are gone at its
 * end: its configuration is written key by key, and it tries what the disk can. @see gitrepository-layout(5)
 */
export async function layOut({
  gitDirectory,
  templateFolder,
}: {
  gitDirectory: string;
  templateFolder: string;
}): Promise<void> {
  await mkdir(join(gitDirectory, 'objects'), { recursive: true });
  await mkdir(join(gitDirectory, 'refs'));
  await mkdir(join(gitDirectory, 'info'));
  await Promise.all([
    writeFile(join(gitDirectory, 'HEAD'), HEAD),
    writeFile(join(gitDirectory, 'config'), CONFIG),
    copyFile(join(templateFolder, 'info', 'attributes'), join(gitDirectory, 'info', 'attributes')),
  ]);
}

/**
 * The one commit that was fetched. The file that says so also says from where, and goes.
 * @throws SecuError `clone_failed` where it does not say: that is no empty repository
 */
export async function takeFetched(gitDirectory: string): Promise<string> {
  const file = join(gitDirectory, 'FETCH_HEAD');
  const [, commit] = /^([0-9a-f]{40})\t/.exec(await readFile(file, 'utf8')) ?? [];
  await rm(file);
  if (commit !== undefined) return commit;
  throw new SecuError('clone_failed', 'git did not say what it fetched', {
    details: { problem: 'not_told' },
  });
}
