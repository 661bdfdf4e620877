import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ATTRIBUTES = '* diff\n';

/**
 * A bare repository by hand, over the objects of others: `git init` would cost a process and bring samples. Every file
 * in it is text to `git diff`. @see gitrepository-layout(5)
 */
export async function layOut(input: {
  gitDirectory: string;
  /** Repositories, by absolute paths. */
  over: readonly string[];
}): Promise<void> {
  const { gitDirectory, over } = input;
  await mkdir(join(gitDirectory, 'objects', 'info'), { recursive: true });
  await mkdir(join(gitDirectory, 'refs'));
  await mkdir(join(gitDirectory, 'info'));
  const objects = over.map((repository) => `${join(repository, 'objects')}\n`);
  await Promise.all([
    writeFile(join(gitDirectory, 'HEAD'), 'ref: refs/heads/none\n'),
    writeFile(join(gitDirectory, 'config'), '[core]\n\tbare = true\n'),
    writeFile(join(gitDirectory, 'info', 'attributes'), ATTRIBUTES),
    writeFile(join(gitDirectory, 'objects', 'info', 'alternates'), objects.join('')),
  ]);
}

/** In a clone too every file is text, whatever it says itself. */
export async function makeAllText(gitDirectory: string): Promise<void> {
  await mkdir(join(gitDirectory, 'info'), { recursive: true });
  await writeFile(join(gitDirectory, 'info', 'attributes'), ATTRIBUTES);
}
