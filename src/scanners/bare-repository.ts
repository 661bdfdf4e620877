import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const SNAPSHOT_REF = 'refs/heads/snapshot';

/**
 * A bare repository by hand, over the objects of others: `git init` would cost a process and bring samples. Every file
 * in it is text to `git diff`. @see gitrepository-layout(5)
 */
export async function layOut(input: {
  gitDirectory: string;
  /** Repositories, by absolute paths. */
  over: readonly string[];
  isSha256: boolean;
}): Promise<void> {
  const { gitDirectory, over, isSha256 } = input;
  await mkdir(join(gitDirectory, 'objects', 'info'), { recursive: true });
  await mkdir(join(gitDirectory, 'refs'));
  await mkdir(join(gitDirectory, 'info'));
  const format = isSha256 ? '\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n' : '';
  const objects = over.map((repository) => `${join(repository, 'objects')}\n`);
  await Promise.all([
    writeFile(join(gitDirectory, 'HEAD'), `ref: ${SNAPSHOT_REF}\n`),
    writeFile(join(gitDirectory, 'config'), `[core]\n\tbare = true\n${format}`),
    writeFile(join(gitDirectory, 'info', 'attributes'), '* diff\n'),
    writeFile(join(gitDirectory, 'objects', 'info', 'alternates'), objects.join('')),
  ]);
}
