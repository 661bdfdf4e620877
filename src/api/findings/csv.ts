import { stringify } from 'csv-stringify/sync';
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

/**
 * RFC 4180. A cell that a spreadsheet would take for a formula gets a leading `'`, also if it begins with a full-width character.
 */
export function csvRows(rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  return stringify([...rows], { record_delimiter: '\r\n', escape_formulas: true });
}

/** Without this mark spreadsheets read UTF-8 as Latin-1. */
const BYTE_ORDER_MARK = '\ufeff';

/** Findings as CSV, one chunk per page. */
export async function* csvOf(pages: AsyncIterable<readonly PresentedFinding[]>): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + csvRows([Object.keys(COLUMNS)]);
  const columns = Object.values(COLUMNS);
  for await (const page of pages)
    yield csvRows(page.map((finding) => columns.map((cellOf) => cellOf(finding))));
}
