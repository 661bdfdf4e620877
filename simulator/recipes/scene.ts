import type { ExpectedFinding, ExpectedFlaw, FileContent } from './recipe.ts';

/**
 * A line of a file. With rules, gitleaks must report the line for each of them; with a flaw, our own rules must.
 */
export type Line =
  | string
  | { text: string; rules: string[] }
  | { text: string; ruleId: string; what: string };

/** How to encode a text that is not plain UTF-8. */
type Encoded = { lines: Line[]; encode: (text: string) => Uint8Array; needs?: ExpectedFinding['needs'] };

type SceneFile = FileContent | Line[] | Encoded;

/** A line in which each of these rules must find something. */
export function hit(text: string, ...rules: string[]): Line {
  return { text, rules };
}

/** The first line of a finding of a rule for code or pipelines. */
export function flaw(text: string, ruleId: string, what: string): Line {
  return { text, ruleId, what };
}

/** Files with their expected findings: the line numbers of the expectation are derived from the lines. */
export function scene(files: Record<string, SceneFile>): {
  files: Record<string, FileContent>;
  findings: ExpectedFinding[];
  flaws: ExpectedFlaw[];
} {
  const contents: Record<string, FileContent> = {};
  const findings: ExpectedFinding[] = [];
  const flaws: ExpectedFlaw[] = [];
  for (const [path, file] of Object.entries(files)) {
    if (Array.isArray(file)) {
      contents[path] = textOf(file);
      findings.push(...findingsOf({ path, lines: file }));
      flaws.push(...flawsOf({ path, lines: file }));
    } else if (isEncoded(file)) {
      contents[path] = file.encode(textOf(file.lines));
      findings.push(...findingsOf({ path, lines: file.lines, needs: file.needs }));
    } else {
      contents[path] = file;
    }
  }
  return { files: contents, findings, flaws };
}

function isEncoded(file: Exclude<SceneFile, Line[]>): file is Encoded {
  return typeof file === 'object' && file !== null && 'encode' in file;
}

function textOf(lines: Line[]): string {
  return lines.map((line) => `${typeof line === 'string' ? line : line.text}\n`).join('');
}

function findingsOf(options: {
  path: string;
  lines: Line[];
  needs?: ExpectedFinding['needs'];
}): ExpectedFinding[] {
  const { lines, needs } = options;
  const path = options.path.toWellFormed();
  return lines.flatMap((line, index) =>
    typeof line === 'string' || !('rules' in line)
      ? []
      : line.rules.map((ruleId) => ({
          path,
          line: index + 1,
          ruleId,
          ...(needs === undefined ? {} : { needs }),
        })),
  );
}

function flawsOf({ path, lines }: { path: string; lines: Line[] }): ExpectedFlaw[] {
  return lines.flatMap((line, index) => {
    if (typeof line === 'string' || !('ruleId' in line)) return [];
    const { ruleId, what } = line;
    return [{ path, line: index + 1, kind: ruleId.startsWith('ci-') ? 'config' : 'code', what, ruleId }];
  });
}
