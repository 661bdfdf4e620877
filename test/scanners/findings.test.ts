import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CommitRecipe, FileContent } from '../../simulator/index.ts';
import { createSecrets } from '../../simulator/recipes/secrets.ts';
import type { ScanReport } from '../../src/domain/ports.ts';
import type { BareRepository, ScanWorld } from './support.ts';
import { createScanWorld, git, places, runOf } from './support.ts';

const secrets = createSecrets('findings');
const tokens = Array.from({ length: 6 }, () => secrets.githubToken());
const [one = '', two = '', three = ''] = tokens;

let world: ScanWorld;
beforeAll(async () => {
  world = await createScanWorld();
});
afterAll(() => world.close());

async function scanFiles(files: Record<string, FileContent>) {
  return world.scan(await world.files(files));
}

function fingerprints(report: ScanReport): string[] {
  return report.findings.map(({ fingerprint }) => fingerprint).toSorted();
}

describe('a fingerprint', () => {
  test('stays the same when lines move, when the file is re-wrapped, and in every later commit', async () => {
    const first = { message: 'First', files: { 'a.env': `A=${one}\n`, 'b.env': `B=${two}\n` } };
    const second = {
      message: 'Second',
      files: { 'a.env': `# moved\n\n\n  A2='${one}' # other words\r\n`, 'c.txt': 'new\n' },
    };
    const before = await world.scan(await world.repository([first]));
    const after = await world.scan(await world.repository([first, second]));
    expect(places(after)).toEqual(['a.env:4 github-pat', 'b.env:1 github-pat']);
    expect(fingerprints(after)).toEqual(fingerprints(before));
    expect(new Set(after.findings.map(({ commit }) => commit))).not.toEqual(
      new Set(before.findings.map(({ commit }) => commit)),
    );
  });

  test('depends on the path, the secret, and the number of earlier occurrences', async () => {
    const report = await scanFiles({
      'a.env': `A=${one}\nB=${one}\nC=${two}\n`,
      'b.env': `A=${one}\n`,
    });
    expect(report.findings).toHaveLength(4);
    expect(new Set(fingerprints(report)).size).toBe(4);
    for (const fingerprint of fingerprints(report)) expect(fingerprint).toMatch(/^v1:[0-9a-f]{64}$/);
  });

  test('of the first of two occurrences stays the same when the second is removed', async () => {
    const both = await scanFiles({ 'a.env': `A=${one}\nB=${one}\n` });
    const first = await scanFiles({ 'a.env': `A=${one}\n` });
    expect(fingerprints(both)).toEqual(expect.arrayContaining(fingerprints(first)));
  });

  test('of a key stays the same when the key is re-wrapped', async () => {
    const lines = secrets.rsaPrivateKey();
    const unix = await scanFiles({ 'key.pem': `${lines.join('\n')}\n` });
    const windows = await scanFiles({ 'key.pem': `# note\r\n${lines.join('\r\n')}\r\n` });
    expect(fingerprints(windows)).toEqual(fingerprints(unix));
  });
});

test('a finding has everything that a person needs, and never contains the secret', async () => {
  const kim = { name: 'Kim Example', email: 'kim@example.com' };
  const repository = await world.repository([
    { message: 'One', files: { 'config/prod.env': `\nGITHUB=${one}\n` }, author: kim },
  ]);
  const report = await world.scan(repository);
  expect(report.findings).toEqual([
    {
      kind: 'secret',
      scanner: 'gitleaks',
      ruleId: 'github-pat',
      title: 'GitHub personal access token',
      severity: 'critical',
      cwe: ['CWE-798'],
      path: 'config/prod.env',
      startLine: 2,
      endLine: 2,
      commit: repository.commit,
      author: 'Kim Example',
      committedAt: '2026-01-05T09:00:00.000Z',
      atHead: true,
      introduced: null,
      excerpt: 'GITHUB=ghp_************',
      fingerprint: expect.stringMatching(/^v1:/),
    },
  ]);
  expect(JSON.stringify(report)).not.toContain(one.slice(4, 20));
});

test('the same repository gives the same findings in the same order', async () => {
  const files = Object.fromEntries(
    tokens.map((token, index) => [`${index % 3}/${index}.env`, `A=${token}\nB=${one}\n`]),
  );
  const repository = await world.files(files);
  const [first, second] = [await world.scan(repository), await world.scan(repository)];
  expect(second.findings).toEqual(first.findings);
});

describe('the whole history', () => {
  const start: CommitRecipe = { message: 'Start', files: { 'a.env': `A=${one}\n`, 'b.env': 'B=\n' } };

  test('has deleted secrets, with the newest commit that added them, in addition to those of the head', async () => {
    const repository = await world.repository([
      start,
      {
        message: 'Oops',
        files: { 'b.env': `\nB=${two}\n` },
        author: { name: 'Kim', email: 'k@example.com' },
      },
      { message: 'Gone', files: { 'b.env': 'B=\n' } },
      { message: 'Oops again', files: { 'b.env': `\n\n\nB=${two}\n` } },
      { message: 'Gone again', files: { 'b.env': null } },
    ]);
    expect(places(await world.scan(repository))).toEqual(['a.env:1 github-pat']);
    const report = await world.scan(repository, { history: 'full' });
    expect(places(report)).toEqual(['a.env:1 github-pat', 'b.env:4 github-pat']);
    const [atHead, past] = report.findings;
    expect(atHead?.commit).toBe(repository.commit);
    expect(past).toMatchObject({
      commit: await commitOf(repository, 'HEAD^'),
      author: 'Robin Example',
      committedAt: '2026-01-08T09:00:00.000Z',
      excerpt: 'B=ghp_************',
    });
  });

  test('has a secret that still exists only once, as at the head, with the same fingerprint', async () => {
    const repository = await world.repository([
      start,
      { message: 'Moved', files: { 'a.env': `\n\nA=${one}\n` } },
      { message: 'Twice', files: { 'a.env': `A=${one}\n\n\nA=${one}\n` } },
      { message: 'Once', files: { 'a.env': `# all\nA=${one}\n` } },
    ]);
    const [head, full] = [await world.scan(repository), await world.scan(repository, { history: 'full' })];
    const first = { commit: await commitOf(repository, 'HEAD~3'), author: 'Robin Example' };
    expect(full.findings).toEqual(
      head.findings.map((finding) => ({ ...finding, introduced: expect.objectContaining(first) })),
    );
    expect(places(full)).toEqual(['a.env:2 github-pat']);
  });

  test('has a past file that is a finding by its name, once', async () => {
    const repository = await world.repository([
      { message: 'One', files: { 'x.tfstate': 'a\nb\nc\nd\ne\nf\n' } },
      { message: 'Two', files: { 'x.tfstate': 'A\nb\nc\nd\ne\nF\n' } },
      { message: 'Three', files: { 'x.tfstate': null, 'a.txt': 'a\n' } },
    ]);
    const report = await world.scan(repository, { history: 'full' });
    expect(report.findings.map(({ path, ruleId, commit }) => [path, ruleId, commit])).toEqual([
      ['x.tfstate', 'terraform-state-file', await commitOf(repository, 'HEAD^')],
    ]);
  });

  test('has secrets that only a merge added', async () => {
    const repository = await world.repository([
      start,
      { message: 'Side', files: { 'side.txt': 'side\n' } },
      { message: 'What the merge has', files: { 'evil.env': `E=${three}\n` } },
    ]);
    const { gitDirectory } = repository;
    const base = await commitOf(repository, 'HEAD~2');
    const args = ['-p', base, '-p', await commitOf(repository, 'HEAD~1'), '-m', 'Merge'];
    const merge = await commitTree({ gitDirectory, tree: 'HEAD^{tree}', args });
    const tip = await commitTree({ gitDirectory, tree: 'HEAD~1^{tree}', args: ['-p', merge, '-m', 'Undo'] });
    const report = await world.scan({ gitDirectory, commit: tip }, { history: 'full' });
    expect(runOf(report).status).toBe('ok');
    expect(places(report)).toEqual(['a.env:1 github-pat', 'evil.env:1 github-pat']);
    expect(report.findings.find(({ path }) => path === 'evil.env')?.commit).toBe(merge);
  });

  test('is not confused by messages, links, modes, renames, binary files and odd names', async () => {
    const message = `diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+X=${two}\n\ncommit ${'a'.repeat(40)}\n`;
    const repository = await world.repository([
      { ...start, message },
      {
        message,
        files: { link: { content: 'a.env', mode: '120000' }, vendor: { submodule: '5'.repeat(40) } },
      },
      { message, files: { 'a.env': { content: `A=${one}\n`, mode: '100755' } } },
      {
        message,
        files: { 'pic.PNG': Buffer.from([0, 1, 2, 10, 3]), 'raw.dat': Buffer.from([0, 10, 0, 10]) },
      },
      {
        message,
        files: { 'a.env': null, 'z/new\nline "q" \\ größe.env': `A=${one}\n`, large: 'x\n'.repeat(9_000) },
      },
      { message, files: { 'z/new\nline "q" \\ größe.env': null, large: null, link: null, vendor: null } },
      { message: '', files: {} },
      { message, files: { 'c d/e f b/c d/e f.env': `C=${three}\n`, 'empty a/b c': '' } },
      { message, files: { 'c d/e f b/c d/e f.env': '' } },
    ]);
    const report = await world.scan(repository, { history: 'full', options: { blobMaxBytes: 10_000 } });
    expect(runOf(report)).toMatchObject({ status: 'ok', cause: null });
    expect(places(report)).toEqual([
      'a.env:1 github-pat',
      'c d/e f b/c d/e f.env:1 github-pat',
      'z/new\nline "q" \\ größe.env:1 github-pat',
    ]);
    const skipped = runOf(report).filesSkipped.map(({ reason, count }) => [reason, count]);
    expect(Object.fromEntries(skipped)).toEqual({ binary: 1, too_large: 1 });
    expect(JSON.stringify(report)).not.toContain(two.slice(4));
  });
});

describe('a name that ends in a backslash', () => {
  // gitleaks cannot read how git quotes it: it skips the file and assigns the following files to another commit.
  test('hides nothing at the head', async () => {
    const report = await scanFiles({ 'a\\': `A=${one}\n`, 'b.env': `B=${two}\n` });
    expect(runOf(report)).toMatchObject({ status: 'ok', filesScanned: 2 });
    expect(places(report)).toEqual(['a\\:1 github-pat', 'b.env:1 github-pat']);
  });

  test('is counted in the past, and the other files keep their own commits', async () => {
    const repository = await world.repository([
      { message: 'First', files: { 'a\\': `A=${one}\n`, 'b.env': `B=${two}\n` } },
      { message: 'Second', files: { 'a\\': null, 'b.env': null, 'c\\': 'nothing else\n' } },
    ]);
    const report = await world.scan(repository, { history: 'full' });
    expect(runOf(report).filesSkipped).toEqual([{ reason: 'unreadable', count: 2 }]);
    expect(report.findings).toMatchObject([
      { path: 'b.env', commit: await commitOf(repository, 'HEAD^'), excerpt: 'B=ghp_************' },
    ]);
  });
});

async function commitOf({ gitDirectory }: BareRepository, name: string): Promise<string> {
  return (await git(world.folder, ['--git-dir', gitDirectory, 'rev-parse', name])).toString().trim();
}

async function commitTree(input: { gitDirectory: string; tree: string; args: string[] }): Promise<string> {
  const { gitDirectory, tree, args } = input;
  const identity = ['-c', 'user.name=Robin', '-c', 'user.email=robin@example.com'];
  const output = await git(world.folder, [
    '--git-dir',
    gitDirectory,
    ...identity,
    'commit-tree',
    tree,
    ...args,
  ]);
  return output.toString().trim();
}

const BYTES = [
  'a',
  'B',
  '\n',
  '\r',
  '\r\n',
  '\0',
  '\t',
  '+',
  '-',
  '\\',
  '@@ ',
  'diff --git a/x b/x\n',
  '\u2028',
  '\f',
  'é',
];
const contents = fc.oneof(
  fc.string({ unit: fc.constantFrom(...BYTES), maxLength: 60 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ maxLength: 40 }).map((text) => Buffer.from(text, 'utf16le')),
);
const names = fc
  .string({
    unit: fc.constantFrom('a', 'b', ' ', '"', '\\', "'", '\t', '\n', '-', '.', 'é', '/', '=', '>'),
    minLength: 1,
  })
  .map((name) => `${name.replaceAll('/', ' b/')}x`.replace(/(^|\/)\.+(?=\/|$)/g, '$1'));

test('a file with any name and content is read and counted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(names, contents), { minLength: 20, maxLength: 40 }), async (odd) => {
      const files = Object.fromEntries(odd.map(([name, content], index) => [`${index}/${name}`, content]));
      const report = await scanFiles({ ...files, 'a.env': `A=${one}\n` });
      expect(runOf(report)).toMatchObject({ status: 'ok', cause: null });
      expect(places(report)).toContain('a.env:1 github-pat');
    }),
    { numRuns: 5 },
  );
}, 60_000);
