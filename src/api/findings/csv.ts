import type { PresentedFinding } from './present.ts';

const COLUMNS: Record<string, (finding: PresentedFinding) => string | number | null | undefined> = {
  id: ({ id }) => id,
  repository: ({ repositoryPath }) => repositoryPath,
  kind: ({ kind }) => kind,
  severity: ({ severity }) => severity,
  status: ({ status }) => status,
  title: ({ title }) => title,
  scanner: ({ scanner }) => scanner,
  rule: ({ ruleId }) => ruleId,
  cwe: ({ cwe }) => cwe.join(' '),
  path: ({ path }) => path,
  line: ({ startLine }) => startLine,
  commit: ({ commit }) => commit,
  author: ({ author }) => author,
  committed_at: ({ committedAt }) => committedAt,
  first_seen_at: ({ firstSeenAt }) => firstSeenAt,
  last_seen_at: ({ lastSeenAt }) => lastSeenAt,
  triage_reason: ({ triage }) => triage?.reason,
  triage_comment: ({ triage }) => triage?.comment,
  permalink: ({ permalink }) => permalink,
  fingerprint: ({ fingerprint }) => fingerprint,
};

/** Characters that start a formula in spreadsheets, in both widths. */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;

/** A row in the form of RFC 4180, with its end. No cell is a formula to a spreadsheet: a `'` stands before it. */
export function csvRow(cells: readonly (string | number | null | undefined)[]): string {
  const written = cells.map((cell) => {
    const text = `${cell ?? ''}`.replace(FORMULA, "'$&");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${written.join(',')}\r\n`;
}

/** Findings as CSV, one chunk per page. */
export async function* csvOf(pages: AsyncIterable<readonly PresentedFinding[]>): AsyncGenerator<string> {
  yield csvRow(Object.keys(COLUMNS));
  const columns = Object.values(COLUMNS);
  for await (const page of pages)
    yield page.map((finding) => csvRow(columns.map((cellOf) => cellOf(finding)))).join('');
}
