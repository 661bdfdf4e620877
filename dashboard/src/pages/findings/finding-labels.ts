import type { Finding, FindingKind, FindingStatus, TriageReason } from '../../api/types.ts';
import type { Label } from '../../format/labels.ts';

export type Reason = TriageReason;
export const REASON_TEXTS: Record<TriageReason, string> = {
  false_positive: 'False positive',
  accepted_risk: 'Accepted risk',
  used_in_tests: 'Used in tests',
  other: 'Other',
};
/** In the order of the shortcuts `i 1` to `i 4`. */
export const REASONS = Object.keys(REASON_TEXTS) as TriageReason[];

export const STATUS_TEXTS: Record<FindingStatus, string> = {
  open: 'Open',
  ignored: 'Ignored',
  fixed: 'Fixed',
  removed: 'Removed',
};

export const KIND_TEXTS: Record<FindingKind, string> = {
  secret: 'Secret',
  code: 'Code',
  dependency: 'Dependency',
  config: 'Config',
};

/** `Ignored: false positive until 2027-01-01`. */
export function statusLabel({
  status,
  triage,
}: {
  status: FindingStatus;
  triage: Pick<NonNullable<Finding['triage']>, 'reason' | 'until'> | null;
}): Label {
  switch (status) {
    case 'open':
      return { text: 'Open', hue: 'warn' };
    case 'fixed':
      return { text: 'Fixed: no longer found', hue: 'ok' };
    case 'removed':
      return { text: 'Removed: rule or file excluded', hue: 'neutral' };
    case 'ignored': {
      const reason = triage === null ? '' : `: ${REASON_TEXTS[triage.reason].toLowerCase()}`;
      const until = triage?.until ? ` until ${triage.until}` : '';
      return { text: `Ignored${reason}${until}`, hue: 'neutral' };
    }
  }
}

/** `path:4`, or `path:4-9` for several lines. */
export function locationText({
  path,
  startLine,
  endLine,
}: Pick<Finding, 'path' | 'startLine' | 'endLine'>): string {
  return endLine > startLine ? `${path}:${startLine}-${endLine}` : `${path}:${startLine}`;
}

/** The name without the kind of caller: `user:ada` and `key:ci` become `ada` and `key ci`. */
export function actorText(actor: string): string {
  return actor.replace(/^user:/, '').replace(/^key:/, 'key ');
}

/** The first seven characters of a commit hash. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}
