export const FINDING_KINDS = ['secret', 'code', 'dependency', 'config'] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];
export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof SEVERITIES)[number];
export const FINDING_STATUSES = ['open', 'fixed', 'removed', 'ignored'] as const;
export type FindingStatus = (typeof FINDING_STATUSES)[number];
export const TRIAGE_REASONS = ['false_positive', 'accepted_risk', 'used_in_tests', 'other'] as const;
export type TriageReason = (typeof TRIAGE_REASONS)[number];

/**
 * One hit as a scanner reports it, ready to be stored: masked, with its fingerprint. The secret itself is gone.
 * Lines count from 1; `committedAt` is ISO 8601.
 */
export interface ScannedFinding {
  kind: FindingKind;
  scanner: string;
  ruleId: string;
  title: string;
  severity: Severity;
  cwe: string[];
  path: string;
  startLine: number;
  endLine: number;
  commit: string;
  author: string | null;
  committedAt: string | null;
  /** At most 200 characters, every match on the line masked. */
  excerpt: string;
  /** HMAC over kind, rule, path, normalised match and ordinal, with a version before it: `v1:…`. */
  fingerprint: string;
}

/** A path as part of an address: each segment encoded. */
export function encodedPath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** Address of the finding at GitLab, rebuilt from our own parts, each segment encoded. */
export function permalink(input: {
  baseUrl: string;
  fullPath: string;
  commit: string;
  path: string;
  startLine: number;
  endLine: number;
}): string {
  const lines =
    input.endLine > input.startLine ? `#L${input.startLine}-${input.endLine}` : `#L${input.startLine}`;
  return `${input.baseUrl}/${encodedPath(input.fullPath)}/-/blob/${encodeURIComponent(input.commit)}/${encodedPath(input.path)}${lines}`;
}

/** Web address of a repository, rebuilt from the base URL and its full path. */
export function repositoryWebUrl({ baseUrl, fullPath }: { baseUrl: string; fullPath: string }): string {
  return `${baseUrl}/${encodedPath(fullPath)}`;
}

/** Control and direction characters made visible: for every foreign text that is shown, logged or exported. */
export function escapeForeignText(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly the characters to make visible
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The same in every text of plain data: paths and names of GitLab may be anywhere in it. */
export function escapeForeignData(value: unknown): unknown {
  if (typeof value === 'string') return escapeForeignText(value);
  if (Array.isArray(value)) return value.map(escapeForeignData);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, escapeForeignData(part)]));
}
