import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** HEAD names a branch that no fetch writes to. */
const HEAD = 'ref: refs/heads/none\n';
const CONFIG = '[core]\n\trepositoryformatversion = 0\n\tbare = true\n';
/**
 * Every file is text for `git diff`, regardless of the repository's own attributes, and nothing converts it.
 */
const ALL_TEXT =
  '* diff -text -filter -ident -eol -working-tree-encoding -export-ignore -export-subst -merge\n';

/**
 * Writes an empty bare repository. `git init` would cost a process, and `git clone` writes twenty more files.
 * @see gitrepository-layout(5)
 */
export async function createBareRepository(input: {
  gitDirectory: string;
  /** Absolute paths of the repositories whose objects this one reads. */
  alternates?: readonly string[];
}): Promise<void> {
  const { gitDirectory, alternates = [] } = input;
  await mkdir(join(gitDirectory, 'objects', ...(alternates.length === 0 ? [] : ['info'])), {
    recursive: true,
  });
  await mkdir(join(gitDirectory, 'refs'));
  const files = [
    writeFile(join(gitDirectory, 'HEAD'), HEAD),
    writeFile(join(gitDirectory, 'config'), CONFIG),
    writeTextAttributes(gitDirectory),
  ];
  if (alternates.length > 0) {
    const objects = alternates.map((repository) => `${join(repository, 'objects')}\n`);
    files.push(writeFile(join(gitDirectory, 'objects', 'info', 'alternates'), objects.join('')));
  }
  await Promise.all(files);
}

/** Makes every file of a clone text to `git diff`. */
export async function writeTextAttributes(gitDirectory: string): Promise<void> {
  await mkdir(join(gitDirectory, 'info'), { recursive: true });
  await writeFile(join(gitDirectory, 'info', 'attributes'), ALL_TEXT);
}
