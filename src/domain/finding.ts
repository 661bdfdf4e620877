export const FINDING_KINDS = ['secret', 'code', 'dependency', 'config'] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];
export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof SEVERITIES)[number];
export const FINDING_STATUSES = ['open', 'fixed', 'removed', 'ignored'] as const;
export type FindingStatus = (typeof FINDING_STATUSES)[number];
export const TRIAGE_REASONS = ['false_positive', 'accepted_risk', 'used_in_tests', 'other'] as const;
export type TriageReason = (typeof TRIAGE_REASONS)[number];

/**
 * One finding as a scanner reports it: masked, with its fingerprint, without the secret itself. Lines count from
 * 1; `committedAt` is ISO 8601.
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
  /** Whether it is in the newest commit of the default branch. */
  atHead: boolean;
  /** The first commit that added it, among those that were read; `null` if only the head was read. */
  introduced: IntroducedBy | null;
  /** At most 200 characters, with every match on the line masked. */
  excerpt: string;
  /** `v1:` and an HMAC over kind, rule, path, normalised match and ordinal. */
  fingerprint: string;
}

/** Author as the commit names it; `at` is ISO 8601. */
export interface IntroducedBy {
  commit: string;
  author: string | null;
  at: string | null;
}

/** A path for use in a URL: every segment is encoded. */
export function encodedPath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** URL of the finding in GitLab, built from the base URL with every segment encoded. */
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

/** Web URL of a repository, built from the base URL and its full path. */
export function repositoryWebUrl({ baseUrl, fullPath }: { baseUrl: string; fullPath: string }): string {
  return `${baseUrl}/${encodedPath(fullPath)}`;
}

/**
 * Makes control and direction characters visible. Required for foreign text that is shown, logged or exported.
 */
export function escapeForeignText(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly the characters to make visible
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Applies {@link escapeForeignText} to every text of a plain data structure. */
export function escapeForeignData(value: unknown): unknown {
  if (typeof value === 'string') return escapeForeignText(value);
  if (Array.isArray(value)) return value.map(escapeForeignData);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, escapeForeignData(part)]));
}
