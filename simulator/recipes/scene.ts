import type { ExpectedFinding, FileContent } from './recipe.ts';

/** A line of a file; with rules, gitleaks must report it under each of them. */
export type Line = string | { text: string; rules: string[] };

/** How a text becomes bytes, where it is not plain UTF-8. */
type Encoded = { lines: Line[]; encode: (text: string) => Uint8Array; needs?: ExpectedFinding['needs'] };

type SceneFile = FileContent | Line[] | Encoded;

/** A line in which the named rules must find something. */
export function hit(text: string, ...rules: string[]): Line {
  return { text, rules };
}

/** Files and what is in them, written once: the expectation's line numbers follow from the lines. */
export function scene(files: Record<string, SceneFile>): {
  files: Record<string, FileContent>;
  findings: ExpectedFinding[];
} {
  const contents: Record<string, FileContent> = {};
  const findings: ExpectedFinding[] = [];
  for (const [path, file] of Object.entries(files)) {
    if (Array.isArray(file)) {
      contents[path] = textOf(file);
      findings.push(...findingsOf({ path, lines: file }));
    } else if (isEncoded(file)) {
      contents[path] = file.encode(textOf(file.lines));
      findings.push(...findingsOf({ path, lines: file.lines, needs: file.needs }));
    } else {
      contents[path] = file;
    }
  }
  return { files: contents, findings };
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
    typeof line === 'string'
      ? []
      : line.rules.map((ruleId) => ({
          path,
          line: index + 1,
          ruleId,
          ...(needs === undefined ? {} : { needs }),
        })),
  );
}
