import { z } from 'zod';
import { SecuError } from '../../domain/errors.ts';

/** One line of `report.tmpl`. Holds the secret: it goes no further than the excerpt and the fingerprint. */
const Leak = z.object({
  ruleId: z.string(),
  title: z.string(),
  file: z.string(),
  commit: z.string(),
  /** From 1; 0 where the file itself is the finding. */
  startLine: z.number().int(),
  endLine: z.number().int(),
  /** In bytes; see `located` in `excerpt.ts`. */
  startColumn: z.number().int(),
  endColumn: z.number().int(),
  match: z.string(),
  secret: z.string(),
  tags: z.array(z.string()).nullable(),
});
export type Leak = z.infer<typeof Leak>;

/** @throws SecuError `scanner_crashed` for a line that is none of ours */
export function parseReport(report: Buffer): Leak[] {
  const lines = report
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => {
    const leak = Leak.safeParse(parseJson(line));
    if (leak.success) return leak.data;
    throw new SecuError('scanner_crashed', 'the report of gitleaks cannot be read', {
      details: { problem: 'report' },
    });
  });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (err) {
    if (err instanceof SyntaxError) return null;
    throw err;
  }
}

export interface ScanExtent {
  commits: number;
  bytes: number;
}

/**
 * How much gitleaks says it read. It ends with 0 and "no leaks found" when git failed underneath, so its words are
 * taken one by one. @throws SecuError `scanner_crashed` when it tells of any error, or does not tell
 * @see gitleaks 8.30.1, `sources/git.go`, `cmd/root.go`
 */
export function extentOf(stderr: string): ScanExtent {
  const isTroubled = / (?:ERR|FTL|PNC) |\[git\]|partial scan/.test(stderr);
  const commits = /(\d+) commits scanned\./.exec(stderr)?.[1];
  const bytes = /scanned ~(\d+) bytes/.exec(stderr)?.[1];
  if (isTroubled || commits === undefined || bytes === undefined) {
    throw new SecuError('scanner_crashed', 'gitleaks did not read everything', {
      details: { problem: isTroubled ? 'gitleaks_error' : 'gitleaks_silent' },
    });
  }
  return { commits: Number(commits), bytes: Number(bytes) };
}
