import type { Label } from '../../format/labels.ts';
import type { Kind, Status } from './filters.ts';

export const REASONS = ['false_positive', 'accepted_risk', 'used_in_tests', 'other'] as const;
export type Reason = (typeof REASONS)[number];

export const REASON_TEXTS: Record<Reason, string> = {
  false_positive: 'False positive',
  accepted_risk: 'Accepted risk',
  used_in_tests: 'Used in tests',
  other: 'Other',
};

export const STATUS_TEXTS: Record<Status, string> = {
  open: 'Open',
  ignored: 'Ignored',
  fixed: 'Fixed',
  removed: 'Removed',
};

export const KIND_TEXTS: Record<Kind, string> = {
  secret: 'Secret',
  code: 'Code',
  dependency: 'Dependency',
  config: 'Config',
};

/** `Ignored: false positive until 2027-01-01`. */
export function statusLabel(finding: {
  status: Status;
  triage: { reason: Reason; until: string | null } | null;
}): Label {
  const { status, triage } = finding;
  if (status === 'open') return { text: 'Open', hue: 'warn' };
  if (status === 'fixed') return { text: 'Fixed: no longer found', hue: 'ok' };
  if (status === 'removed') return { text: 'Removed: rule or file left out', hue: 'neutral' };
  const reason = triage === null ? '' : `: ${REASON_TEXTS[triage.reason].toLowerCase()}`;
  const until = triage?.until ? ` until ${triage.until}` : '';
  return { text: `Ignored${reason}${until}`, hue: 'neutral' };
}

/** `path:4`, or `path:4-9` where it goes over several lines. */
export function locationText({
  path,
  startLine,
  endLine,
}: {
  path: string;
  startLine: number;
  endLine: number;
}): string {
  return endLine > startLine ? `${path}:${startLine}-${endLine}` : `${path}:${startLine}`;
}

/** Who, without what kind of caller it was: `user:ada` and `key:ci` are `ada` and `key ci`. */
export function actorText(actor: string): string {
  return actor.replace(/^user:/, '').replace(/^key:/, 'key ');
}

/** The first of the characters that tell a commit from all others of a repository. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}
