import { z } from 'zod';
import { SecuError } from '../../domain/errors.ts';

/** One line of `report.tmpl`. Holds the secret: it goes no further than the excerpt and the fingerprint. */
const Leak = z.object({
  ruleId: z.string(),
  file: z.string(),
  commit: z.string(),
  /** From 1; 0 where the file itself is the finding. */
  startLine: z.number().int(),
  endLine: z.number().int(),
  /** In bytes; `excerpt.ts` has what is odd about them. */
  startColumn: z.number().int(),
  endColumn: z.number().int(),
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
  leaks: number;
}

/** Everything that it says when all is well, line by line. Its stopwatch is before each. */
const WELL = [
  /^\S+ INF (?<commits>\d+) commits scanned\.$/,
  /^\S+ INF scanned ~(?<bytes>\d+) bytes \(.+\) in \S+$/,
  /^\S+ (?:INF no leaks found|WRN leaks found: (?<leaks>\d+))$/,
];

/**
 * How much gitleaks says it read and found. It ends with 0 and "no leaks found" when git failed underneath, so its
 * words are taken one by one. @throws SecuError `scanner_crashed` when it says anything else, or not all of it
 * @see gitleaks 8.30.1, `detect/detect.go`, `cmd/root.go`
 */
export function extentOf(stderr: string): ScanExtent {
  const lines = stderr.split('\n').filter((line) => line !== '');
  const said = WELL.map((pattern) => lines.map((line) => pattern.exec(line)).find((match) => match !== null));
  const [commits, bytes, leaks] = said;
  const isWell = lines.length === WELL.length;
  if (!isWell || commits == null || bytes == null || leaks == null) {
    throw new SecuError('scanner_crashed', 'gitleaks did not read everything', {
      details: { problem: lines.length > WELL.length ? 'gitleaks_error' : 'gitleaks_silent' },
    });
  }
  return {
    commits: Number(commits.groups?.['commits']),
    bytes: Number(bytes.groups?.['bytes']),
    leaks: Number(leaks.groups?.['leaks'] ?? 0),
  };
}
