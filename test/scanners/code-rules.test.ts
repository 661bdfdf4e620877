import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ScanReport } from '../../src/domain/ports.ts';
import { findAstGrep } from '../../src/scanners/ast-grep/find.ts';
import { allRules } from '../../src/scanners/ast-grep/rules/index.ts';
import type { CodeExample, ExampleLine } from './code-examples.ts';
import { codeExamples } from './code-examples.ts';
import type { ScanWorld } from './support.ts';
import { createScanWorld, runOf } from './support.ts';

interface ExampleFile {
  rule: string;
  path: string;
  text: string;
  /** Lines on which the rule must find something. */
  lines: number[];
}

const examples = codeExamples();
const hits = examples.flatMap((example, index) => filesOf(example, example.hits, `${index}-hit`));
const clean = examples.flatMap((example, index) => filesOf(example, example.clean, `${index}-clean`));

function filesOf(
  example: CodeExample,
  files: readonly (readonly ExampleLine[])[],
  what: string,
): ExampleFile[] {
  const { rule, extensions } = example;
  return files.flatMap((file, index) =>
    extensions.map((extension) => ({
      rule,
      path: `${rule}/${what}-${index}.${extension}`,
      text: `${file.flat().join('\n')}\n`,
      lines: file.flatMap((line, at) => (typeof line === 'string' ? [] : [at + 1])),
    })),
  );
}

let world: ScanWorld;
let report: ScanReport;
beforeAll(async () => {
  world = await createScanWorld();
  const files = Object.fromEntries([...hits, ...clean].map(({ path, text }) => [path, text]));
  report = await world.scan(await world.files(files), { options: { astGrep: findAstGrep() } });
});
afterAll(() => world.close());

function found(path: string): string[] {
  const there = report.findings.filter((finding) => finding.path === path && finding.kind !== 'secret');
  return there.map(({ ruleId, startLine }) => `${startLine} ${ruleId}`);
}

test.each(hits.map((file) => [file.rule, file.path, file] as const))(
  '%s: finds exactly the marked lines in %s, and no other rule matches',
  (rule, path, { lines }) => {
    expect(found(path)).toEqual(lines.map((line) => `${line} ${rule}`));
  },
);

test.each(clean.map((file) => [file.rule, file.path] as const))('%s: finds nothing in %s', (_rule, path) => {
  expect(found(path)).toEqual([]);
});

test('every example file is read and can be parsed', () => {
  expect(runOf(report, 'ast-grep')).toMatchObject({
    status: 'ok',
    filesScanned: hits.length + clean.length,
    filesSkipped: [],
  });
});

test('every rule has a matching and a non-matching example', () => {
  const ids = allRules()
    .map(({ id }) => id)
    .toSorted();
  const withBoth = (files: readonly ExampleFile[]) => [...new Set(files.map(({ rule }) => rule))].toSorted();
  expect(withBoth(hits.filter(({ lines }) => lines.length > 0))).toEqual(ids);
  expect(withBoth(clean)).toEqual(ids);
});
