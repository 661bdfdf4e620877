import type {
  Exclusion,
  Repository,
  RepositoryState,
  Scan,
  ScannerStatus,
  ScanPhase,
  SkipReason,
} from '../api/types.ts';
import type { Label } from './labels.ts';
import { causeTitle, formatCount, SEVERITIES } from './labels.ts';

export const PHASE_TEXTS: Record<ScanPhase, string> = {
  cloning: 'Cloning',
  scanning: 'Scanning',
  storing: 'Storing',
};

type ScanState = Pick<Scan, 'status' | 'outcome' | 'cause' | 'commit'> & { phase?: ScanPhase | null };

/** Only the outcome `clean` reads "Clean": no findings from an incomplete set of scanners is "Incomplete". */
export function scanLabel(scan: ScanState, findings: number): Label {
  const { status, phase, cause } = scan;
  switch (status) {
    case 'queued':
      return { text: 'Queued', hue: 'neutral' };
    case 'running':
      return { text: phase == null ? 'Running' : PHASE_TEXTS[phase], hue: 'info' };
    case 'canceled':
      return { text: 'Canceled', hue: 'neutral' };
    case 'failed':
      return { text: cause === null ? 'Failed' : `Failed: ${causeTitle(cause)}`, hue: 'bad' };
    case 'succeeded':
      return outcomeLabel(scan, findings);
  }
}

function outcomeLabel({ outcome, commit }: ScanState, findings: number): Label {
  switch (outcome) {
    case 'incomplete':
      return { text: 'Incomplete', hue: 'warn' };
    case 'clean':
      return { text: `Clean${commit === null ? '' : ` at ${commit.slice(0, 7)}`}`, hue: 'ok' };
    case 'findings':
      return { text: formatCount(findings, 'finding'), hue: 'high' };
    case null:
      return { text: 'Finished', hue: 'neutral' };
  }
}

const EXCLUSION_TEXTS: Record<Exclusion, string> = {
  archived: 'archived',
  filter: 'filter',
  fork: 'fork',
  personal: 'personal namespace',
  pending_deletion: 'pending deletion',
  repository_disabled: 'repository disabled',
  access_too_low: 'insufficient access',
};

export const STATE_TEXTS: Record<RepositoryState, string> = {
  active: 'Active',
  excluded: 'Excluded',
  empty: 'Empty',
  missing: 'Not listed',
  removed: 'Removed',
};
export const REPOSITORY_STATES = Object.keys(STATE_TEXTS) as RepositoryState[];

type RepositoryFacts = Pick<Repository, 'state' | 'excludedBecause' | 'counts'> & {
  lastScan: ScanState | null;
};

/** Whether a repository is covered: why it is excluded, or the result of its last scan and its open findings. */
export function repositoryLabel({ state, excludedBecause, lastScan, counts }: RepositoryFacts): Label {
  if (state === 'excluded') return { text: `Excluded: ${exclusionText(excludedBecause)}`, hue: 'neutral' };
  if (state !== 'active') return { text: STATE_TEXTS[state], hue: state === 'missing' ? 'warn' : 'neutral' };
  if (lastScan === null) return { text: 'Never scanned', hue: 'warn' };
  if (lastScan.status !== 'succeeded' || lastScan.outcome === 'incomplete')
    return scanLabel(lastScan, counts.open);
  // history can have open findings that the scanned commit has not
  const worst = SEVERITIES.find((severity) => counts[severity] > 0);
  if (worst !== undefined) return { text: formatCount(counts.open, 'finding'), hue: worst };
  if (lastScan.outcome === 'findings') return { text: 'No open findings', hue: 'ok' };
  return scanLabel(lastScan, 0);
}

function exclusionText(reason: Exclusion | null): string {
  return reason === null ? 'unknown reason' : EXCLUSION_TEXTS[reason];
}

/** Why a repository cannot be scanned; `null` where it can. */
export function scanBlockReason({
  state,
  excludedBecause,
}: Pick<RepositoryFacts, 'state' | 'excludedBecause'>): string | null {
  switch (state) {
    case 'active':
      return null;
    case 'excluded':
      return `This repository is excluded: ${exclusionText(excludedBecause)}.`;
    case 'empty':
      return 'This repository is empty. Secu scans it after the first push.';
    case 'missing':
      return 'GitLab no longer lists this repository. If it lists it again, scans resume automatically.';
    case 'removed':
      return 'This repository no longer exists at GitLab.';
  }
}

export const SCANNER_STATUS_LABELS: Record<ScannerStatus, Label> = {
  ok: { text: 'Done', hue: 'ok' },
  failed: { text: 'Failed', hue: 'bad' },
  unavailable: { text: 'Not installed', hue: 'warn' },
  not_applicable: { text: 'Not applicable', hue: 'neutral' },
  off: { text: 'Off', hue: 'neutral' },
};

const SKIP_REASON_TEXTS: Record<SkipReason, string> = {
  too_large: 'too large',
  binary: 'binary',
  unreadable: 'unreadable',
  undecodable: 'unknown encoding',
  link: 'symbolic link',
  submodule: 'submodule',
  path_too_long: 'path too long',
  lfs_pointer: 'LFS pointer',
  minified: 'minified',
  vendored: 'vendored',
  unparsable: 'unparsable',
  too_complex: 'too complex',
};

/** `2 too large, 1 binary`; empty where nothing was skipped. */
export function skippedText(skipped: readonly { reason: SkipReason; count: number }[]): string {
  return skipped
    .map(({ reason, count }) => `${count.toLocaleString('en')} ${SKIP_REASON_TEXTS[reason]}`)
    .join(', ');
}

/** The first eight characters of a rule set's hash (`sha256:…`), enough to distinguish rule sets. */
export function shortRules(rules: string | null): string {
  return rules === null ? '–' : rules.replace(/^sha256:/, '').slice(0, 8);
}

export const TRIGGER_TEXTS: Record<Scan['trigger'], string> = {
  created: 'First scan',
  sync: 'Sync',
  hook: 'GitLab webhook',
  schedule: 'Scheduled',
  manual: 'Manual',
  rules: 'New rules',
  history: 'History',
};

export const HISTORY_TEXTS: Record<Scan['history'], string> = {
  none: 'Latest commit',
  since: 'New commits',
  full: 'Full history',
};

export const INCOMPLETE_TEXTS: Record<Scan['incompleteBecause'][number], string> = {
  scanner_missing: 'A scanner is not installed',
  blob_unread: 'Not every file was read',
  history_unread: 'Not every commit of the history was read',
  more_findings: 'More findings than are stored',
  branches_unread: 'More branches than are read, or a branch with an unusable name',
};

/** A branch without the prefix of its ref. */
export function branchName(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}
