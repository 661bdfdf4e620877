import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FileContent } from '../../simulator/index.ts';
import { createSecrets } from '../../simulator/recipes/secrets.ts';
import type { ScanWorld } from './support.ts';
import { createScanWorld, places, runOf } from './support.ts';

const secrets = createSecrets('hiding');
const leak = () => `GITHUB=${secrets.githubToken()}`;

let world: ScanWorld;
beforeAll(async () => {
  world = await createScanWorld();
});
afterAll(() => world.close());

async function scanFiles(files: Record<string, FileContent>) {
  return world.scan(await world.files(files));
}

describe('nothing in a repository hides a secret:', () => {
  const allowAll = "[allowlist]\npaths = ['''.*''']\nregexes = ['''.*''']\n";

  test('no configuration, ignore file, comment or attribute, at its root or anywhere', async () => {
    const report = await scanFiles({
      '.gitleaks.toml': allowAll,
      'deep/.gitleaks.toml': allowAll,
      '.gitleaksignore': 'a.env:github-pat:1\n',
      '.gitattributes': '* -diff\n* binary\n* filter=none\n',
      'deep/.gitattributes': '* -diff\n* export-ignore\n',
      'a.env': `${leak()}\n`,
      'deep/b.env': `${leak()} # gitleaks:allow\n`,
      'deep/c.env': `${leak()} // betterleaks:allow\n`,
    });
    expect(places(report)).toEqual([
      'a.env:1 github-pat',
      'deep/b.env:1 github-pat',
      'deep/c.env:1 github-pat',
    ]);
  });

  test('no file name that gitleaks uses itself', async () => {
    const report = await scanFiles({
      '.gitleaks.toml': `${leak()}\n`,
      'my-gitleaks.toml.d/a.env': `#\n${leak()}\n`,
    });
    expect(places(report)).toEqual(['.gitleaks.toml:1 github-pat', 'my-gitleaks.toml.d/a.env:2 github-pat']);
  });

  test('no bytes: NUL, invalid UTF-8, a byte order mark, unusual line ends', async () => {
    const [one, two, three, four, five] = [leak(), leak(), leak(), leak(), leak()];
    const report = await scanFiles({
      'nul.sql': Buffer.from(`\0\0\n${one}\n\0`),
      'latin1.env': Buffer.concat([Buffer.from([0xe9, 0xff, 0x80, 0x0a]), Buffer.from(two)]),
      'mark.env': Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(three)]),
      'classic-mac.env': `#\r${four}\r`,
      'last-line.env': `#\n\n\n${five}`,
    });
    expect(places(report)).toEqual([
      'classic-mac.env:1 github-pat',
      'last-line.env:4 github-pat',
      'latin1.env:2 github-pat',
      'mark.env:1 github-pat',
      'nul.sql:2 github-pat',
    ]);
  });

  test('no UTF-16, with or without a byte order mark, in either byte order', async () => {
    const text = () => `[keys]\r\n\r\n${leak()} = größe\r\n`;
    const little = () => Buffer.from(text(), 'utf16le');
    const report = await scanFiles({
      'le.ini': Buffer.concat([Buffer.from([0xff, 0xfe]), little()]),
      'be.ini': Buffer.concat([Buffer.from([0xfe, 0xff]), little().swap16()]),
      'le-plain.ini': little(),
      'be-plain.ini': little().swap16(),
    });
    expect(places(report)).toEqual(
      ['be-plain', 'be', 'le-plain', 'le'].map((name) => `${name}.ini:3 github-pat`),
    );
    for (const { excerpt } of report.findings) expect(excerpt).toMatch(/^GITHUB=ghp_\*+ = größe$/);
    expect(runOf(report).filesScanned).toBe(4);
  });

  test('no text that only looks like UTF-16', async () => {
    const wide = Buffer.from('nothing to see here\n'.repeat(300), 'utf16le');
    const report = await scanFiles({
      'marked.env': Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`${leak()}\n`)]),
      'begins-wide.env': Buffer.concat([wide, Buffer.from(`\n${leak()}\n`)]),
    });
    expect(places(report).map((place) => place.replace(/:\d+/, ''))).toEqual([
      'begins-wide.env github-pat',
      'marked.env github-pat',
    ]);
  });

  test('no large size: the end of a file of 10 MiB or of a line of 2 MB', async () => {
    const report = await scanFiles({
      'long-line.js': `${'x'.repeat(2_000_000)};${leak()};${'y'.repeat(1_000)}`,
      'long.log': `${'all is well\n'.repeat(200_000)}${leak()}\n`,
    });
    expect(places(report)).toEqual(['long-line.js:1 github-pat', 'long.log:200001 github-pat']);
    expect(report.findings.every(({ excerpt }) => excerpt.length <= 200)).toBe(true);
  });
});

describe('unread entries are counted:', () => {
  test('too large, binary, link, submodule, LFS pointer; everything else is read', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`;
    const repository = await world.files({
      'large.csv': 'x'.repeat(1_001),
      'not-too-large.csv': 'x'.repeat(1_000),
      'logo.PNG': 'x',
      'fonts/a.woff2': 'x',
      'link.env': { content: '/etc/passwd', mode: '120000' },
      vendor: { submodule: '5'.repeat(40) },
      'film.psd.txt': pointer,
      'no-pointer.txt': `${pointer}${leak()}\n`,
      empty: '',
      'run.sh': { content: 'true\n', mode: '100755' },
    });
    const report = await world.scan(repository, { options: { blobMaxBytes: 1_000 } });
    expect(runOf(report)).toMatchObject({ status: 'ok', filesScanned: 4 });
    const skipped = runOf(report).filesSkipped.map(({ reason, count }) => [reason, count]);
    expect(Object.fromEntries(skipped)).toEqual({
      too_large: 1,
      binary: 2,
      link: 1,
      submodule: 1,
      lfs_pointer: 1,
    });
    expect(places(report)).toEqual(['no-pointer.txt:4 github-pat']);
  });

  test('a path longer than 4,096 bytes', async () => {
    const folder = Array.from({ length: 21 }, () => 'd'.repeat(200)).join('/');
    const report = await scanFiles({ [`${folder}/deep.env`]: `${leak()}\n`, 'a.env': `${leak()}\n` });
    expect(runOf(report)).toMatchObject({
      filesScanned: 1,
      filesSkipped: [{ reason: 'path_too_long', count: 1 }],
    });
  });

  test('a repository without a readable file is clean, and the skipped files are counted', async () => {
    const report = await scanFiles({ 'a.png': 'x', empty: '' });
    expect(runOf(report)).toMatchObject({ status: 'ok', findings: 0, filesScanned: 1 });
  });
});

test('two files with the same displayed path keep their own findings', async () => {
  const line = `${leak()}\n`;
  const report = await scanFiles({ 'a-\udce8.env': line, 'a-\udce9.env': line });
  expect(places(report)).toEqual(['a-\ufffd.env:1 github-pat', 'a-\ufffd.env:1 github-pat']);
  expect(new Set(report.findings.map(({ fingerprint }) => fingerprint)).size).toBe(2);
});
