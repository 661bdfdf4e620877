import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runGit } from '../../simulator/git/run.ts';
import type { FileContent } from '../../simulator/index.ts';
import { createSecrets } from '../../simulator/recipes/secrets.ts';
import { outcomeOf } from '../../src/domain/scan.ts';
import { createFakeScanner } from './fakes.ts';
import type { BareRepository, ScanWorld } from './support.ts';
import { createScanWorld, places, runOf } from './support.ts';

const secrets = createSecrets('proof');
const KEY = `${secrets.rsaPrivateKey().join('\n')}\n`;
const PASSWORD = 'DB_PASSWORD=Sommer-Regen-44\n';
const TOKEN = secrets.githubToken();

let world: ScanWorld;
beforeAll(async () => {
  world = await createScanWorld();
});
afterAll(() => world.close());

async function foundIn(files: Record<string, FileContent>): Promise<string[]> {
  return places(await world.scan(await world.files(files)));
}

const bom = (text: string) => Buffer.from(`\ufeff${text}`);
const utf16le = (text: string) => Buffer.from(text, 'utf16le');
const utf16be = (text: string) => Buffer.from(utf16le(text)).swap16();
function utf32(text: string, order: 'LE' | 'BE'): Buffer {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const bytes = Buffer.alloc(codes.length * 4);
  for (const [index, code] of codes.entries())
    if (order === 'LE') bytes.writeUInt32LE(code, index * 4);
    else bytes.writeUInt32BE(code, index * 4);
  return bytes;
}

const ENCODINGS: ReadonlyArray<readonly [string, (text: string) => Buffer]> = [
  ['UTF-8 with a byte-order mark', bom],
  ['UTF-16 LE with a mark', (text) => utf16le(`\ufeff${text}`)],
  ['UTF-16 LE without a mark', utf16le],
  ['UTF-16 BE with a mark', (text) => utf16be(`\ufeff${text}`)],
  ['UTF-16 BE without a mark', utf16be],
  [
    'UTF-16 LE without a mark, mostly Cyrillic',
    (text) => utf16le(`# ${'Это конфигурация базы данных. '.repeat(20)}\n${text}`),
  ],
  [
    'UTF-16 LE behind a page of UTF-8',
    (text) => Buffer.concat([Buffer.from('# log\n'.repeat(2_000)), utf16le(text)]),
  ],
  ['UTF-32 LE with a mark', (text) => utf32(`\ufeff${text}`, 'LE')],
  ['UTF-32 LE without a mark', (text) => utf32(text, 'LE')],
  ['UTF-32 BE with a mark', (text) => utf32(`\ufeff${text}`, 'BE')],
  ['UTF-32 BE without a mark', (text) => utf32(text, 'BE')],
  ['Latin-1', (text) => Buffer.from(`# M\u00fcller\n${text}`, 'latin1')],
  ['line ends of CR alone', (text) => Buffer.from(`# Mac\n${text}`.replaceAll('\n', '\r'))],
  ['UTF-16 with line ends of CR alone', (text) => utf16le(`\ufeff# Mac\n${text}`.replaceAll('\n', '\r'))],
  ['a mark and line ends of CR alone', (text) => bom(`# Mac\n${text}`.replaceAll('\n', '\r'))],
  ['two byte-order marks', (text) => bom(`\ufeff${text}`)],
  ['joined files with a mark each', (text) => bom(`# first\n\ufeff${text}`)],
  ['joined UTF-16 files with a mark each', (text) => utf16le(`\ufeff# first\n\ufeff${text}`)],
  ['line ends of CR alone and a NUL', (text) => Buffer.from(`# Mac \0\n${text}`.replaceAll('\n', '\r'))],
  [
    'Latin-1 with line ends of CR alone and a control character',
    (text) => Buffer.from(`# M\u00fcller \x01\n${text}`.replaceAll('\n', '\r'), 'latin1'),
  ],
];

describe.each(ENCODINGS)('a secret in %s', (_name, encode) => {
  test('is found at the head, by a rule for lines and by one for many lines', async () => {
    const report = await world.scan(await world.files({ '.env': encode(PASSWORD), 'k.pem': encode(KEY) }));
    const rules = report.findings.map(({ path, ruleId }) => `${path} ${ruleId}`).toSorted();
    expect(rules).toEqual(['.env config-file-password', 'k.pem private-key']);
    expect(report.incompleteBecause).toEqual([]);
    expect(runOf(report)).toMatchObject({ filesScanned: 2, filesSkipped: [] });
  });

  test('is found in the history, at the commit that added it', async () => {
    const repository = await world.repository([
      { message: 'First', files: { 'a.txt': 'a\n' } },
      { message: 'Second', files: { 'deploy/.env': encode(PASSWORD), 'k.pem': encode(KEY) } },
      { message: 'Third', files: { 'deploy/.env': null, 'k.pem': null } },
    ]);
    const report = await world.scan(repository, { history: 'full' });
    const rules = report.findings.map(({ path, ruleId }) => `${path} ${ruleId}`).toSorted();
    expect(rules).toEqual(['deploy/.env config-file-password', 'k.pem private-key']);
    const args = ['--git-dir', repository.gitDirectory, 'rev-parse', 'main~1'];
    const second = (await runGit({ home: world.folder, args })).toString().trim();
    expect(new Set(report.findings.map(({ commit }) => commit))).toEqual(new Set([second]));
  });
});

test('text that cannot be decoded, or only in part, is counted as skipped', async () => {
  const ebcdic = Buffer.from([
    0xc4, 0xc2, 0x6d, 0xd7, 0xc1, 0xe2, 0xe2, 0x7e, 0xe2, 0x96, 0x94, 0x94, 0x85, 0x99, 0x15,
  ]);
  const report = await world.scan(
    await world.files({
      'a.txt': 'a\n',
      'mainframe.cfg': Buffer.concat([ebcdic, ebcdic]),
      'half.cfg': Buffer.concat([utf16le('\ufeffname=value\n'), Buffer.from([0x00, 0xd8, 0x41, 0x00])]),
    }),
  );
  expect(runOf(report)).toMatchObject({
    filesScanned: 1,
    filesSkipped: [{ reason: 'undecodable', count: 2 }],
  });
  expect(report.unreadPaths).toEqual({ gitleaks: ['half.cfg', 'mainframe.cfg'] });
});

describe('no upstream allowlist', () => {
  test.each([
    'TrueNorth#2024x',
    'SureNorth#2024x',
    'falsePositive#9x',
    'Zero-nullable-7x',
    'my-client-Regen77!',
    'rapid-River-99!x',
    '/Sommer#Regen44',
    '$ommer-Regen-44',
    'vault-Regen-44#x',
    'EXAMPLE-Regen-44#x',
    'abcdefghijklmnopqrstuvwxyz-Regen44',
  ])('excludes the value %s because of a part of it', async (value) => {
    expect(await foundIn({ 'b.properties': `db.password=${value}\n` })).toEqual([
      'b.properties:1 config-file-password',
    ]);
  });

  test.each(['author-Regen-77x4Q9', 'keyboard-Regen-77x4Q9', 'capital7Regen9x4Q9z2', 'testRegen77x4Q9zPw3'])(
    'excludes the generic secret %s because of a part of it',
    async (value) => {
      expect(await foundIn({ 'b.txt': `api_token = "${value}"\n` })).toEqual(['b.txt:1 generic-api-key']);
    },
  );

  test.each([
    'src/bootstrap.js',
    'deploy/docker.socket',
    'src/angular.config.js',
    'go.mod',
    'vendor/github.com/a/b.go',
    'node_modules/a/index.js',
    'package-lock.json',
    'venv/lib/a.py',
    'logo.svg',
    'data.bin',
    'gradlew',
    'gitleaks.toml',
    'Database.refactorlog',
    'javascript.json',
    'foo-1.0.dist-info/METADATA',
  ])('excludes the path %s', async (path) => {
    expect(await foundIn({ [path]: KEY })).toEqual([`${path}:1 private-key`]);
  });
});

describe('odd commits:', () => {
  /** A commit over the tree of another one, with these lines as its header. */
  async function commitWith(on: BareRepository, header: string, parent: string | null): Promise<string> {
    const run = async (args: string[], input?: Buffer) =>
      (
        await runGit({
          home: world.folder,
          args: ['--git-dir', on.gitDirectory, ...args],
          ...(input === undefined ? {} : { input: [input] }),
        })
      )
        .toString()
        .trim();
    const tree = await run(['rev-parse', `${on.commit}^{tree}`]);
    const parents = parent === null ? '' : `parent ${parent}\n`;
    const content = Buffer.from(`tree ${tree}\n${parents}${header}\n\nodd\n`, 'latin1');
    return run(['hash-object', '-t', 'commit', '-w', '--stdin', '--literally'], content);
  }

  const AUTHOR = 'author A <a@example.com> 1312735823 +0000';
  const COMMITTER = 'committer A <a@example.com> 1312735823 +0000';
  const HEADERS: ReadonlyArray<readonly [string, string, string | null, string | null]> = [
    ['the year 10000', `${AUTHOR}\ncommitter A <a@b> 253402300800 +0000`, 'A', null],
    ['a date before 1970', `${AUTHOR}\ncommitter A <a@b> -5 +0000`, 'A', '1969-12-31T23:59:55.000Z'],
    ['a date beyond every number', `${AUTHOR}\ncommitter A <a@b> 99999999999999999999 +0000`, 'A', null],
    [
      'a zone of six digits',
      'author A <a@b> 1 +051800\ncommitter A <a@b> 1 +051800',
      'A',
      '1970-01-01T00:00:01.000Z',
    ],
    ['a zone of letters', 'author A <a@b> 1 CEST\ncommitter A <a@b> 1 CEST', 'A', '1970-01-01T00:00:01.000Z'],
    [
      'no space before the address',
      `author A<a@example.com> 1312735823 +0000\n${COMMITTER}`,
      'A',
      '2011-08-07T16:50:23.000Z',
    ],
    [
      'no address',
      `author A 1312735823 +0000\n${COMMITTER}`,
      'A 1312735823 +0000',
      '2011-08-07T16:50:23.000Z',
    ],
    ['no author', COMMITTER, null, '2011-08-07T16:50:23.000Z'],
    ['no committer', AUTHOR, 'A', null],
    ['two authors', `${AUTHOR}\n${AUTHOR}\n${COMMITTER}`, 'A', '2011-08-07T16:50:23.000Z'],
    [
      'an author in Latin-1',
      `author M\u00fcller <m@b> 1 +0000\n${COMMITTER}\nencoding ISO-8859-1`,
      'M\u00fcller',
      '2011-08-07T16:50:23.000Z',
    ],
    ['the encoding UTF-16', `${AUTHOR}\n${COMMITTER}\nencoding UTF-16LE`, 'A', '2011-08-07T16:50:23.000Z'],
    [
      'an author of 5 MB',
      `author ${'x'.repeat(5_000_000)} <a@b> 1 +0000\n${COMMITTER}`,
      'x'.repeat(256),
      null,
    ],
  ];

  test.each(HEADERS)('the head has %s', async (_name, header, author, committedAt) => {
    const repository = await world.files({ 'k.pem': KEY });
    const commit = await commitWith(repository, header, null);
    const report = await world.scan({ ...repository, commit });
    expect(places(report)).toEqual(['k.pem:1 private-key']);
    expect(report.findings[0]).toMatchObject({ author, committedAt });
  });

  test.each(HEADERS)('a commit of the history has %s, and all commits are read', async (_name, header) => {
    const repository = await world.repository([
      { message: 'First', files: { 'k.pem': KEY } },
      { message: 'Second', files: { 'k.pem': null, 't.env': `T=${TOKEN}\n` } },
    ]);
    const odd = await commitWith(repository, header, repository.commit);
    const report = await world.scan(
      { ...repository, commit: await commitWith(repository, `${AUTHOR}\n${COMMITTER}`, odd) },
      { history: 'full' },
    );
    expect(places(report)).toEqual(['k.pem:1 private-key', 't.env:1 github-pat']);
    expect(report.incompleteBecause).toEqual([]);
  });
});

describe('limits apply while reading:', () => {
  test('millions of paths from three objects fail at once with their own cause', async () => {
    const repository = await world.files({ 'k.pem': KEY });
    const git = (args: string[], input?: Buffer) =>
      runGit({
        home: world.folder,
        args: ['--git-dir', repository.gitDirectory, ...args],
        ...(input === undefined ? {} : { input: [input] }),
      });
    const blob = (await git(['rev-parse', `${repository.commit}:k.pem`])).toString().trim();
    const treeOf = async (mode: string, type: string, id: string) => {
      const names = Array.from({ length: 2_000 }, (_, index) => `${mode} ${type} ${id}\tf${index}\n`);
      return (await git(['mktree'], Buffer.from(names.join('')))).toString().trim();
    };
    const tree = await treeOf('040000', 'tree', await treeOf('100644', 'blob', blob));
    const text = Buffer.from(`tree ${tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nbomb\n`);
    const commit = (await git(['hash-object', '-t', 'commit', '-w', '--stdin'], text)).toString().trim();
    const startedAt = performance.now();
    const report = await world.scan({ ...repository, commit });
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    expect(outcomeOf(report.runs)).toEqual({ status: 'failed', cause: 'too_many_files' });
  });

  test('of too many findings the most severe are reported, and the report shows that there are more', async () => {
    const low = Array.from({ length: 30 }, (_, index) => `db.password=Regen-${index}-Sommer\n`).join('');
    const repository = await world.files({ 'a.properties': low, 'z.pem': KEY });
    const report = await world.scan(repository, { options: { maxFindings: 5 } });
    expect(report.findings).toHaveLength(5);
    expect(report.findings.some(({ ruleId }) => ruleId === 'private-key')).toBe(true);
    expect(report.incompleteBecause).toEqual(['more_findings']);
  });
});

test('an unreadable commit of the history is named, and does not hide the others', async () => {
  const repository = await world.repository([
    { message: 'First', files: { 'k.pem': KEY } },
    { message: 'Bad', files: { 'k.pem': null, 'bad.env': `B=${TOKEN}\n` } },
    { message: 'Third', files: { 'bad.env': null, 't.env': `T=${TOKEN}\n` } },
    { message: 'Last', files: { 't.env': 'nothing\n' } },
  ]);
  const args = ['--git-dir', repository.gitDirectory, 'rev-parse', 'main~2'];
  const bad = (await runGit({ home: world.folder, args })).toString().trim();
  const gitleaks = await createFakeScanner({
    folder: world.folder,
    name: 'unreadable-commit',
    real: world.gitleaks.path,
    // the run over all commits fails, and so does each run that contains the bad commit
    lines: [
      `case "$*" in *--no-walk*${bad}*) exit 3 ;; *--no-walk*) ;; *--diff-merges*) exit 3 ;; esac`,
      'exec "$REAL" "$@"',
    ],
  });
  const report = await world.scan(repository, { history: 'full', options: { gitleaks } });
  expect(places(report)).toEqual(['k.pem:1 private-key', 't.env:1 github-pat']);
  expect(report.unreadCommits).toEqual([bad]);
  expect(report.incompleteBecause).toEqual(['history_unread']);
  expect(outcomeOf(report.runs, report.incompleteBecause)).toMatchObject({ status: 'succeeded' });
});
