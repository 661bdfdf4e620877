import { readlinkSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FileContent } from '../../simulator/index.ts';
import { createSecrets } from '../../simulator/recipes/secrets.ts';
import type { ScanReport } from '../../src/domain/ports.ts';
import { outcomeOf } from '../../src/domain/scan.ts';
import { findAstGrep } from '../../src/scanners/ast-grep/find.ts';
import { programsOf } from './fakes.ts';
import type { ScanOptions, ScanWorld } from './support.ts';
import { canFenceNetwork, createScanWorld, createTestScanners, runOf } from './support.ts';

const secrets = createSecrets('code');
const EVAL = 'eval(input);\n';

let world: ScanWorld;
let real: NonNullable<ReturnType<typeof findAstGrep>>;
beforeAll(async () => {
  world = await createScanWorld();
  const found = findAstGrep();
  if (found === null) throw new Error('ast-grep is not on this machine');
  real = found;
});
afterAll(() => world.close());

type Options = NonNullable<ScanOptions['options']>;

async function scanFiles(files: Record<string, FileContent>, options: Options = {}) {
  return world.scan(await world.files(files), { options: { astGrep: real, ...options } });
}

/** ast-grep with lines of JavaScript that run before it parses a file; `text` is the content of the file. */
async function engineWith(name: string, lines: readonly string[]) {
  const bindingPath = join(world.folder, `binding-${name}.cjs`);
  const program = [
    `const real = require(${JSON.stringify(real.bindingPath)});`,
    'const { readlinkSync, writeFileSync, writeSync } = require("node:fs");',
    'const parse = (parser, text) => {',
    ...lines,
    'return real.parse(parser, text); };',
    'module.exports = { parse, registerDynamicLanguage: real.registerDynamicLanguage };',
  ];
  await writeFile(bindingPath, program.join('\n'));
  return { ...real, bindingPath };
}

function flaws(report: ScanReport): string[] {
  return report.findings
    .filter(({ kind }) => kind !== 'secret')
    .map(({ path, startLine, ruleId }) => `${path}:${startLine} ${ruleId}`);
}

function skipped(report: ScanReport): Record<string, number> {
  const { filesSkipped } = runOf(report, 'ast-grep');
  return Object.fromEntries(filesSkipped.map(({ reason, count }) => [reason, count]));
}

describe('nothing in a repository hides a flaw:', () => {
  test('no comment, configuration, ignore file or attribute', async () => {
    const report = await scanFiles({
      'sgconfig.yml': 'ruleDirs: []\n',
      '.gitignore': '*.js\n',
      '.ignore': '*.js\n',
      '.gitattributes': '*.js -diff binary linguist-generated\n',
      'src/a.js': `// ast-grep-ignore\n${EVAL}`,
      '.hidden/b.js': EVAL,
    });
    expect(flaws(report)).toEqual(['.hidden/b.js:1 js-eval', 'src/a.js:2 js-eval']);
  });

  test('no UTF-16, no byte order mark, no invalid bytes', async () => {
    const report = await scanFiles({
      'a.js': Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`// größe\r\n${EVAL}`, 'utf16le')]),
      'b.js': Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(EVAL)]),
      'c.js': Buffer.concat([Buffer.from('// '), Buffer.from([0xe9, 0xff, 0x0a]), Buffer.from(EVAL)]),
    });
    expect(flaws(report)).toEqual(['a.js:2 js-eval', 'b.js:1 js-eval', 'c.js:2 js-eval']);
    expect(runOf(report, 'ast-grep')).toMatchObject({ filesScanned: 3, filesSkipped: [] });
  });
});

describe('a repository', () => {
  test('without files that have rules is not applicable, and can be clean', async () => {
    const report = await scanFiles({ 'README.md': EVAL, 'ci.yml': 'image: node\n' });
    expect(runOf(report, 'ast-grep')).toMatchObject({ status: 'not_applicable', filesScanned: 0 });
    expect(outcomeOf(report.runs)).toEqual({ status: 'succeeded', outcome: 'clean' });
  });

  test('without ast-grep is incomplete if it has code, and clean otherwise', async () => {
    const code = await scanFiles({ 'a.js': 'f();\n' }, { astGrep: null });
    expect(runOf(code, 'ast-grep')).toMatchObject({ status: 'unavailable', version: null, rules: null });
    expect(outcomeOf(code.runs)).toEqual({ status: 'succeeded', outcome: 'incomplete' });
    const text = await scanFiles({ 'a.md': 'f();\n' }, { astGrep: null });
    expect(outcomeOf(text.runs)).toEqual({ status: 'succeeded', outcome: 'clean' });
  });

  test('reports which files were not read, and why', async () => {
    const report = await scanFiles({
      'a.js': EVAL,
      'a.min.js': EVAL,
      'bundle.js': `${EVAL.trim().repeat(1_000)}\n`,
      'vendor/lib.go': 'package lib\n',
      'node_modules/a/index.js': EVAL,
      'nul.py': Buffer.from('eval(a)\0\n'),
      'large.py': `eval(a)\n${'# a line of a large file\n'.repeat(50_000)}`,
      'larger.py': `eval(a)\n${'# a line of a larger file\n'.repeat(500_000)}`,
      'no-code.js': `${'<% } %> eval @@ §§ ]] '.repeat(20)}\n`,
      'link.js': { content: 'a.js', mode: '120000' },
      'image.png': Buffer.from([0x89]),
    });
    expect(flaws(report)).toEqual(['a.js:1 js-eval']);
    expect(skipped(report)).toEqual({ minified: 2, vendored: 2, binary: 1, too_large: 2, unparsable: 1 });
    expect(runOf(report, 'ast-grep').filesScanned).toBe(1);
  });

  test('has only the flaws of its head, even if its whole history is scanned', async () => {
    const repository = await world.repository([
      { message: 'Begin', files: { 'a.js': EVAL, 'b.js': EVAL } },
      { message: 'Mend', files: { 'a.js': 'f(input);\n' } },
    ]);
    const report = await world.scan(repository, { history: 'full', options: { astGrep: real } });
    expect(flaws(report)).toEqual(['b.js:1 js-eval']);
    expect(report.findings[0]).toMatchObject({ commit: repository.commit });
  });
});

describe('a file that breaks the parser', () => {
  const files = { 'a.js': EVAL, 'b.js': `stop();\n${EVAL}`, 'c.js': EVAL };

  test.each([
    ['by a signal', 'unparsable', 'process.kill(process.pid, "SIGKILL");'],
    ['by an abort', 'unparsable', 'process.abort();'],
    ['by an endless loop', 'too_complex', 'for (;;);'],
  ])('%s is skipped and counted, and no other file is', async (name, reason, line) => {
    const engine = await engineWith(name.replaceAll(' ', '-'), [`if (text.includes("stop")) ${line}`]);
    const report = await scanFiles(files, { astGrep: { ...engine, fileTimeoutMs: 5_000 } });
    expect(flaws(report)).toEqual(['a.js:1 js-eval', 'c.js:1 js-eval']);
    expect(runOf(report, 'ast-grep')).toMatchObject({ status: 'ok', filesScanned: 2 });
    expect(skipped(report)).toEqual({ [reason]: 1 });
    expect(programsOf(world.folder)).toEqual([]);
  });

  test.each([
    ['JavaScript', 'deep.js', '{a:'],
    ['Python', 'deep.py', '(('],
    ['YAML', '.gitlab-ci.yml', '{a: '],
  ])(
    'by its real depth, in %s: the other files are read',
    async (_language, path, piece) => {
      const deep = `eval image ${piece.repeat(Math.floor(1_000_000 / piece.length))}`;
      const lines = deep.replaceAll(/(.{100})/g, '$1\n');
      const report = await scanFiles({ [path]: lines, 'z.js': EVAL });
      expect(flaws(report)).toContain('z.js:1 js-eval');
      expect(runOf(report, 'ast-grep').status).toBe('ok');
      const { filesScanned, filesSkipped } = runOf(report, 'ast-grep');
      expect(filesScanned + filesSkipped.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    },
    90_000,
  );

  test('repeatedly makes the scan fail', async () => {
    const engine = await engineWith('always', ['process.kill(process.pid, "SIGKILL");']);
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`${at}.js`, EVAL]));
    const report = await scanFiles(many, { astGrep: engine });
    expect(runOf(report, 'ast-grep')).toMatchObject({ status: 'failed', cause: 'scanner_crashed' });
  });
});

const GOOD = '{"unparsable":false,"hasMore":false,"found":[]}\\n';
const FAILURES: ReadonlyArray<readonly [string, string]> = [
  ['an exit code that has no meaning', 'process.exit(3);'],
  ['an error', 'throw new Error("no");'],
  ['an exit before the report', 'process.exit(0);'],
  ['an unknown message', 'writeSync(1, "hello\\n");'],
  ['a report of something else', 'writeSync(1, \'{"found":[{"rule":"x"}]}\\n\');'],
  [
    'a rule that does not exist',
    'writeSync(1, \'{"unparsable":false,"hasMore":false,"found":[{"rule":9999,"startLine":1,"endLine":1,"startByte":0,"match":"x","secrets":[]}]}\\n\'); process.exit(0);',
  ],
  ['more answers than files', `writeSync(1, '${GOOD}${GOOD}');`],
  ['output without an end', `for (;;) writeSync(1, "x".repeat(1_000_000));`],
  ['errors without an end', `for (;;) writeSync(2, "x".repeat(1_000_000));`],
];

describe('when ast-grep ends incorrectly, its run fails and its findings are not used:', () => {
  test.each(FAILURES)('%s', async (name, line) => {
    const engine = await engineWith(name.replaceAll(' ', '-'), [line]);
    const report = await scanFiles({ 'a.js': EVAL }, { astGrep: engine });
    expect(runOf(report, 'ast-grep')).toMatchObject({
      status: 'failed',
      cause: 'scanner_crashed',
      findings: 0,
    });
    expect(flaws(report)).toEqual([]);
    expect(outcomeOf(report.runs)).toEqual({ status: 'failed', cause: 'scanner_crashed' });
    expect(programsOf(world.folder)).toEqual([]);
  });

  test('at the deadline of the scan, with its own cause', async () => {
    const engine = await engineWith('deadline', ['for (;;);']);
    const report = await scanFiles({ 'a.js': EVAL }, { astGrep: engine, scanTimeoutMs: 3_000 });
    expect(runOf(report, 'ast-grep')).toMatchObject({ status: 'failed', cause: 'scan_timed_out' });
    expect(programsOf(world.folder)).toEqual([]);
  });
});

test('the parser gets no setting of this process, and no network if the machine can isolate it', async () => {
  const observed = join(world.folder, 'seen.json');
  const engine = await engineWith('environment', [
    'const network = readlinkSync("/proc/self/ns/net");',
    'const names = Object.keys(process.env).toSorted();',
    `writeFileSync(${JSON.stringify(observed)}, JSON.stringify({ network, names, argv: process.argv.slice(2) }));`,
  ]);
  const report = await scanFiles({ 'a.js': EVAL }, { astGrep: engine });
  expect(flaws(report)).toEqual(['a.js:1 js-eval']);
  const { network, names, argv } = JSON.parse(await readFile(observed, 'utf8')) as Record<string, unknown>;
  const git =
    'ALLOW_PROTOCOL ATTR_NOSYSTEM CONFIG_GLOBAL CONFIG_NOSYSTEM DIR NO_LAZY_FETCH NO_REPLACE_OBJECTS';
  const ours = `${git} OPTIONAL_LOCKS TERMINAL_PROMPT`.split(' ').map((name) => `GIT_${name}`);
  // the shell sets PWD
  expect([...new Set(names as string[]).add('PWD')].toSorted()).toEqual(
    [...ours, 'HOME', 'LC_ALL', 'PATH', 'PWD', 'TMPDIR'].toSorted(),
  );
  expect(argv).toEqual([engine.bindingPath]);
  const isOurs = network === readlinkSync('/proc/self/ns/net');
  expect(isOurs).toBe(!(await canFenceNetwork(world.folder)));
});

describe('an excerpt of code', () => {
  test('masks the matches of gitleaks on its line, and a finding of gitleaks masks those of code rules', async () => {
    const token = secrets.githubToken();
    const report = await scanFiles({
      'a.js': `jwt.sign({ id }, "keyboard cat"); eval(input, "${token}");\n`,
    });
    const excerpts = report.findings.map(({ ruleId, excerpt }) => [ruleId, excerpt]);
    expect(excerpts.map(([ruleId]) => ruleId)).toEqual(['github-pat', 'js-jwt-hardcoded-secret']);
    for (const [, excerpt] of excerpts)
      expect(excerpt).toBe(
        `jwt.sign({ id }, "************"); eval(input, "${token.slice(0, 4)}************");`,
      );
  });

  test('shows no line that was not searched for secrets', async () => {
    const text = `eval("a" + "${secrets.githubToken()}");\n`;
    const shown = await scanFiles({ 'a.js': EVAL });
    expect(shown.findings.map(({ excerpt }) => excerpt)).toEqual(['eval(input);']);
    const report = await scanFiles({ 'a.js': text }, { gitleaks: null });
    expect(report.findings.map(({ excerpt }) => excerpt)).toEqual(['************']);
  });

  test('shows no password of a pipeline, however it is written', async () => {
    const report = await scanFiles({
      '.gitlab-ci.yml': [
        'variables:',
        '  A_PASSWORD: keyboard cat',
        '  B_PASSWORD: "keyboard cat"',
        "  C_PASSWORD: 'keyboard cat'",
        '',
      ].join('\n'),
    });
    const excerpts = report.findings.filter(({ kind }) => kind === 'config').map(({ excerpt }) => excerpt);
    expect(excerpts).toEqual([
      'A_PASSWORD: ************',
      'B_PASSWORD: "************"',
      "C_PASSWORD: '************'",
    ]);
  });

  test('is cut around the flaw, and deceptive characters are escaped', async () => {
    const report = await scanFiles({ 'a.js': `${'const a = 1; '.repeat(40)}/* \u202e */ eval(input);\n` });
    const [excerpt = ''] = report.findings.map((finding) => finding.excerpt);
    expect(excerpt).toContain('\\u202e */ eval(input);');
    expect(excerpt.length).toBeLessThanOrEqual(200);
  });
});

describe('a flaw', () => {
  const fingerprints = (report: ScanReport) => report.findings.map(({ fingerprint }) => fingerprint);

  test('keeps its fingerprint when its lines move, and differs from the one in another file', async () => {
    const before = await scanFiles({ 'a.js': EVAL });
    const after = await scanFiles({ 'a.js': `\n\nf();\n  eval( input );\n` });
    expect(fingerprints(after)).toEqual(fingerprints(before));
    expect(after.findings[0]).toMatchObject({
      startLine: 4,
      kind: 'code',
      scanner: 'ast-grep',
      cwe: ['CWE-95'],
    });
    const other = await scanFiles({ 'b.js': EVAL });
    expect(fingerprints(other)).not.toEqual(fingerprints(before));
  });

  test('that occurs twice is reported twice', async () => {
    const report = await scanFiles({ 'a.js': `${EVAL}${EVAL}` });
    expect(new Set(fingerprints(report)).size).toBe(2);
  });

  test('that occurs more often than the limit is stored up to the limit, and the report has the reason more_findings', async () => {
    const report = await scanFiles({ 'a.js': EVAL.repeat(4) }, { maxFindings: 3 });
    expect(runOf(report, 'ast-grep')).toMatchObject({ status: 'ok', findings: 3 });
    expect(report.incompleteBecause).toEqual(['more_findings']);
  });
});

test('another version, another language or another scanner changes the hash of the rules', () => {
  const common = {
    workFolder: join(world.folder, 'work'),
    blobMaxBytes: 1,
    scanTimeoutMs: 1,
    concurrency: 1,
    gitleaks: null,
  };
  const rulesOf = (astGrep: Options['astGrep'] = real) => createTestScanners({ ...common, astGrep }).rules;
  const all = [
    rulesOf(),
    rulesOf({ ...real, version: '0.0.1' }),
    rulesOf({ ...real, parts: ['ast-grep 0.0.1'] }),
    rulesOf(null),
    rulesOf('left_out'),
  ];
  expect(new Set(all).size).toBe(5);
  expect(rulesOf()).toBe(rulesOf());
});
