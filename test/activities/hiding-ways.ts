import { createSecrets } from '../../simulator/recipes/secrets.ts';

const secret = createSecrets('hiding').githubToken();
const LINE = `TOKEN=${secret}\n`;
type Files = Record<string, string | Uint8Array | null>;

/** The repository in which a secret is hidden. */
export interface HidingPlace {
  push: (files: Files, branch?: string) => Promise<string>;
  git: (...args: string[]) => Promise<string>;
  /** Writes an object. */
  write: (type: string, content: string | Buffer) => Promise<string>;
  /** Writes a commit on no branch. @returns its ID */
  commit: (tree: string, parents?: string[], message?: string) => Promise<string>;
  /** Scans what is there now, as a sync would. */
  scan: () => Promise<void>;
}

interface Way {
  /** The row in `docs/explanation/what-is-found-in-git.md`. */
  name: string;
  found: boolean;
  hide: (repository: HidingPlace) => Promise<unknown>;
}

const branchWith = async ({ git, push }: HidingPlace, name: string) => {
  await git('branch', name, 'main');
  return push({ 'hidden.env': LINE }, name);
};

const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);

/** Each is applied after the first scan, so that only the scan of new commits can find the secret. */
export const WAYS: Way[] = [
  { name: 'At the head', found: true, hide: ({ push }) => push({ 'a.env': LINE }) },
  {
    name: 'Removed in the next commit, between two scans',
    found: true,
    hide: async ({ push }) => {
      await push({ 'a.env': LINE });
      await push({ 'a.env': null });
    },
  },
  {
    name: 'Replaced by another text in the next commit',
    found: true,
    hide: async ({ push }) => {
      await push({ 'a.env': LINE });
      await push({ 'a.env': 'TOKEN=from-the-environment\n' });
    },
  },
  {
    name: 'Below forty newer commits',
    found: true,
    hide: async ({ push }) => {
      await push({ 'a.env': LINE });
      await push({ 'a.env': null });
      for (let index = 0; index < 40; index += 1) await push({ 'b.txt': `${index}\n` });
    },
  },
  {
    name: 'In a file that was renamed and then removed',
    found: true,
    hide: async ({ push }) => {
      await push({ 'old.env': LINE });
      await push({ 'old.env': null, 'new.env': LINE });
      await push({ 'new.env': null });
    },
  },
  {
    name: 'In a merged branch, removed before the merge',
    found: true,
    hide: async (repository) => {
      await branchWith(repository, 'feature');
      await repository.push({ 'hidden.env': null, 'b.txt': 'b\n' }, 'feature');
      const tree = await repository.git('rev-parse', 'feature^{tree}');
      const merge = await repository.commit(tree, ['main', 'feature']);
      await repository.git('update-ref', 'refs/heads/main', merge);
      await repository.git('branch', '-D', 'feature');
    },
  },
  {
    name: 'Only in the tree of a merge commit',
    found: true,
    hide: async (repository) => {
      const { git, push, commit } = repository;
      await branchWith(repository, 'feature');
      const tree = await git('rev-parse', 'feature^{tree}');
      await push({ 'b.txt': 'b\n' });
      await git('branch', '-f', 'side', 'main^');
      const side = await push({ 'c.txt': 'c\n' }, 'side');
      await git('update-ref', 'refs/heads/main', await commit(tree, ['main', side]));
      await git('branch', '-D', 'feature', 'side');
      await push({ 'hidden.env': null });
    },
  },
  {
    name: 'In an octopus merge',
    found: true,
    hide: async (repository) => {
      const { git, push, commit } = repository;
      for (const name of ['one', 'two']) {
        await git('branch', name, 'main');
        await push({ [`${name}.txt`]: name }, name);
      }
      await branchWith(repository, 'three');
      await push({ 'hidden.env': null }, 'three');
      const merge = await commit(await git('rev-parse', 'main^{tree}'), ['main', 'one', 'two', 'three']);
      await git('update-ref', 'refs/heads/main', merge);
      await git('branch', '-D', 'one', 'two', 'three');
    },
  },
  {
    name: 'In a root commit of an unrelated history that was merged',
    found: true,
    hide: async ({ git, push, commit, write }) => {
      const blob = await write('blob', LINE);
      const tree = await write(
        'tree',
        Buffer.concat([Buffer.from('100644 root.env\0'), Buffer.from(blob, 'hex')]),
      );
      const root = await commit(tree);
      const merge = await commit(await git('rev-parse', 'main^{tree}'), ['main', root]);
      await git('update-ref', 'refs/heads/main', merge);
      await push({ 'b.txt': 'b\n' });
    },
  },
  {
    name: 'At a head that was pushed away by force, if it was scanned before',
    found: true,
    hide: async ({ git, push, scan }) => {
      const base = await git('rev-parse', 'main');
      await push({ 'a.env': LINE });
      await scan();
      await git('update-ref', 'refs/heads/main', base);
      await push({ 'b.txt': 'b\n' });
    },
  },
  {
    name: 'At a head that was pushed away by force between two scans',
    found: false,
    hide: async ({ git, push }) => {
      const base = await git('rev-parse', 'main');
      await push({ 'a.env': LINE });
      await git('update-ref', 'refs/heads/main', base);
      await push({ 'b.txt': 'b\n' });
    },
  },
  {
    name: 'In a squashed commit whose result still holds it',
    found: true,
    hide: async ({ git, push, commit }) => {
      const base = await git('rev-parse', 'main');
      await push({ 'a.env': LINE });
      await push({ 'b.txt': 'b\n' });
      const squashed = await commit(await git('rev-parse', 'main^{tree}'), [base]);
      await git('update-ref', 'refs/heads/main', squashed);
    },
  },
  {
    name: 'In a history that replaced everything by force',
    found: true,
    hide: async ({ git, push, commit }) => {
      await push({ 'a.env': LINE });
      await git('update-ref', 'refs/heads/main', await commit(await git('rev-parse', 'main^{tree}')));
      await push({ 'a.env': null });
    },
  },
  {
    name: 'In another branch, with `branches` = all',
    found: true,
    hide: (repository) => branchWith(repository, 'feature'),
  },
  {
    name: 'Removed in another branch, with `branches` = all',
    found: true,
    hide: async (repository) => {
      await branchWith(repository, 'feature');
      await repository.push({ 'hidden.env': null }, 'feature');
    },
  },
  {
    name: 'In UTF-16, removed in the next commit',
    found: true,
    hide: async ({ push }) => {
      await push({ 'a.env': utf16(LINE) });
      await push({ 'a.env': null });
    },
  },
  {
    name: 'After a byte-order mark',
    found: true,
    hide: ({ push }) =>
      push({ 'a.env': Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(LINE)]) }),
  },
  {
    name: 'Between line ends of CR alone',
    found: true,
    hide: ({ push }) => push({ 'a.env': `A=1\r${LINE.trim()}\rB=2\r` }),
  },
  {
    name: 'Behind `-diff` and `export-ignore` in .gitattributes',
    found: true,
    hide: async ({ push }) => {
      await push({ '.gitattributes': '* -diff -text export-ignore\n', 'a.env': LINE });
      await push({ 'a.env': null });
    },
  },
  {
    name: 'Behind an ignore file and an allowing comment of gitleaks',
    found: true,
    hide: ({ push }) =>
      push({ '.gitleaksignore': '*\n', '.gitleaks.toml': '', 'a.env': `${LINE.trim()} # gitleaks:allow\n` }),
  },
  {
    name: 'In a folder that tools like to skip',
    found: true,
    hide: ({ push }) => push({ 'node_modules/x/a.env': LINE }),
  },
  {
    name: 'In a file with NUL bytes',
    found: true,
    hide: ({ push }) => push({ 'a.dat': Buffer.concat([Buffer.from([0, 1, 0]), Buffer.from(`\n${LINE}`)]) }),
  },
  {
    name: 'In an executable file',
    found: true,
    hide: async ({ git, write, commit }) => {
      const blob = await write('blob', LINE);
      const tree = await write(
        'tree',
        Buffer.concat([Buffer.from('100755 run\0'), Buffer.from(blob, 'hex')]),
      );
      await git('update-ref', 'refs/heads/main', await commit(tree, ['main']));
    },
  },
  {
    name: 'In a path with odd characters',
    found: true,
    hide: ({ push }) => push({ 'a "b"\t\u00e4 \u202e.env': LINE }),
  },
  {
    name: 'In the target of a symbolic link',
    found: true,
    hide: async ({ git, write, commit }) => {
      const blob = await write('blob', LINE.trim());
      const tree = await write(
        'tree',
        Buffer.concat([Buffer.from('120000 link\0'), Buffer.from(blob, 'hex')]),
      );
      await git('update-ref', 'refs/heads/main', await commit(tree, ['main']));
    },
  },
  {
    name: 'In the repository that a submodule names',
    found: false,
    hide: ({ push }) => push({ '.gitmodules': '[submodule "s"]\n\tpath = s\n\turl = ../other.git\n' }),
  },
  {
    name: 'Behind a Git LFS pointer',
    found: false,
    hide: ({ push }) =>
      push({
        'a.env': `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 40\n`,
      }),
  },
  {
    name: 'Only below a tag',
    found: false,
    hide: async (repository) => {
      const commit = await branchWith(repository, 'feature');
      await repository.git('tag', 'v1', commit);
      await repository.git('branch', '-D', 'feature');
    },
  },
  {
    name: 'In a note',
    found: false,
    hide: async ({ git, write, commit }) => {
      const blob = await write('blob', LINE);
      const tree = await write(
        'tree',
        Buffer.concat([Buffer.from('100644 note\0'), Buffer.from(blob, 'hex')]),
      );
      await git('update-ref', 'refs/notes/commits', await commit(tree));
    },
  },
  {
    name: 'In a stash or another ref that is no branch',
    found: false,
    hide: async (repository) => {
      const commit = await branchWith(repository, 'feature');
      await repository.git('update-ref', 'refs/stash', commit);
      await repository.git('branch', '-D', 'feature');
    },
  },
  {
    name: 'In the message of a commit',
    found: false,
    hide: async ({ git, push, commit }) => {
      const changed = await commit(await git('rev-parse', 'main^{tree}'), ['main'], LINE);
      await git('update-ref', 'refs/heads/main', changed);
      await push({ 'b.txt': 'b\n' });
    },
  },
  {
    name: 'Split over two lines or built by code',
    found: false,
    hide: ({ push }) => push({ 'a.js': `const t = '${secret.slice(0, 12)}' +\n  '${secret.slice(12)}';\n` }),
  },
];
