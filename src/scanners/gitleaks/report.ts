import { z } from 'zod';
import { SecuError } from '../../domain/errors.ts';
import { SEVERITIES } from '../../domain/finding.ts';
import { severityOf } from './severity.ts';

/** A private key may be as long as its file. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

/** One line of `report.tmpl`. Contains the secret; only the excerpt and the fingerprint may use it. */
const Leak = z.object({
  ruleId: z.string(),
  file: z.string(),
  commit: z.string(),
  /** From 1; 0 where the file itself is the finding. */
  startLine: z.number().int(),
  endLine: z.number().int(),
  /** In bytes; `excerpt.ts` describes how gitleaks counts them. */
  startColumn: z.number().int(),
  endColumn: z.number().int(),
  secret: z.string(),
  tags: z.array(z.string()).nullable(),
});
export type Leak = z.infer<typeof Leak>;

/**
 * Parses the leaks of a report and holds at most `maxLeaks` of them, the most severe first.
 * @throws SecuError `scanner_crashed` for a line in another format
 */
export async function readReport(
  chunks: AsyncIterable<Buffer>,
  { maxLeaks }: { maxLeaks: number },
): Promise<{ leaks: Leak[]; total: number }> {
  const bySeverity = SEVERITIES.map((): Leak[] => []);
  let total = 0;
  let leakCount = 0;
  for await (const line of linesOf(chunks)) {
    const leak = parseLeak(line);
    total += 1;
    const rank = SEVERITIES.indexOf(severityOf(leak.ruleId));
    if (leakCount >= maxLeaks) {
      const lowest = bySeverity.findLastIndex((leaks) => leaks.length > 0);
      if (lowest <= rank) continue;
      bySeverity[lowest]?.pop();
      leakCount -= 1;
    }
    bySeverity[rank]?.push(leak);
    leakCount += 1;
  }
  return { leaks: bySeverity.flat(), total };
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let rest = chunk;
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
      const line = Buffer.concat([...parts, rest.subarray(0, end)]).toString('utf8');
      if (line !== '') yield line;
      parts = [];
      bytes = 0;
      rest = rest.subarray(end + 1);
    }
    bytes += rest.length;
    if (bytes > MAX_LINE_BYTES) throw unreadableReport();
    parts.push(rest);
  }
  const last = Buffer.concat(parts).toString('utf8');
  if (last !== '') yield last;
}

function parseLeak(line: string): Leak {
  const leak = Leak.safeParse(parseJson(line));
  if (leak.success) return leak.data;
  throw unreadableReport();
}

function unreadableReport(): SecuError {
  return new SecuError('scanner_crashed', 'the report of gitleaks cannot be read', {
    details: { problem: 'report' },
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

/** The log lines of a complete run; each follows a time. */
const COMPLETE_RUN = [
  /^\S+ INF (?<commits>\d+) commits scanned\.$/,
  /^\S+ INF scanned ~(?<bytes>\d+) bytes \(.+\) in \S+$/,
  /^\S+ (?:INF no leaks found|WRN leaks found: (?<leaks>\d+))$/,
];

/**
 * Parses how much gitleaks read and found. gitleaks exits with 0 and "no leaks found" even if its git failed, so
 * every log line is checked.
 * @throws SecuError `scanner_crashed` for an unknown line or a missing one
 * @see gitleaks 8.30.1, `detect/detect.go`, `cmd/root.go`
 */
export function extentOf(stderr: string): ScanExtent {
  const lines = stderr.split('\n').filter((line) => line !== '');
  const matches = COMPLETE_RUN.map((pattern) =>
    lines.map((line) => pattern.exec(line)).find((match) => match !== null),
  );
  const [commits, bytes, leaks] = matches;
  const isComplete = lines.length === COMPLETE_RUN.length;
  if (!isComplete || commits == null || bytes == null || leaks == null) {
    throw new SecuError('scanner_crashed', 'gitleaks did not read everything', {
      details: { problem: lines.length > COMPLETE_RUN.length ? 'gitleaks_error' : 'gitleaks_silent' },
    });
  }
  return {
    commits: Number(commits.groups?.['commits']),
    bytes: Number(bytes.groups?.['bytes']),
    leaks: Number(leaks.groups?.['leaks'] ?? 0),
  };
}
