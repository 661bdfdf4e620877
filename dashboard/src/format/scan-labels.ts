import type { Label, Severity } from './labels.ts';
import { causeTitle, formatCount, SEVERITIES } from './labels.ts';

const PHASE_TEXTS: Record<string, string> = { cloning: 'Cloning', scanning: 'Scanning', storing: 'Storing' };

interface ScanState {
  status: string;
  phase?: string | null;
  outcome: string | null;
  cause: string | null;
  commit: string | null;
}

/** How a scan stands. Only an outcome of `clean` reads clean: nothing found by too few scanners is incomplete. */
export function scanLabel({ status, phase, outcome, cause, commit }: ScanState, findings: number): Label {
  switch (status) {
    case 'queued':
      return { text: 'Queued', hue: 'neutral' };
    case 'running':
      return { text: PHASE_TEXTS[phase ?? ''] ?? 'Running', hue: 'info' };
    case 'canceled':
      return { text: 'Canceled', hue: 'neutral' };
    case 'failed':
      return { text: cause === null ? 'Failed' : `Failed: ${causeTitle(cause)}`, hue: 'bad' };
  }
  if (outcome === 'incomplete') return { text: 'Incomplete', hue: 'warn' };
  if (outcome === 'clean')
    return { text: `Clean${commit === null ? '' : ` at ${commit.slice(0, 7)}`}`, hue: 'ok' };
  if (outcome === 'findings') return { text: formatCount(findings, 'finding'), hue: 'high' };
  return { text: outcome ?? status, hue: 'neutral' };
}

const EXCLUSION_TEXTS: Record<string, string> = {
  archived: 'archived',
  filter: 'filter',
  fork: 'fork',
  personal: 'personal',
  pending_deletion: 'pending deletion',
  repository_disabled: 'repository disabled',
  access_too_low: 'access too low',
};

export const REPOSITORY_STATES = ['active', 'excluded', 'empty', 'missing', 'removed'] as const;
export type RepositoryState = (typeof REPOSITORY_STATES)[number];
export const STATE_TEXTS: Record<RepositoryState, string> = {
  active: 'Active',
  excluded: 'Excluded',
  empty: 'Empty',
  missing: 'Not listed',
  removed: 'Removed',
};

interface RepositoryFacts {
  state: RepositoryState;
  excludedBecause: string | null;
  lastScan: ScanState | null;
  counts: Record<Severity | 'open', number>;
}

/** What is covered and what is not: why it is left out, or else what its last scan and its open findings come to. */
export function repositoryLabel({ state, excludedBecause, lastScan, counts }: RepositoryFacts): Label {
  if (state === 'excluded')
    return {
      text: `Excluded: ${EXCLUSION_TEXTS[excludedBecause ?? ''] ?? excludedBecause ?? 'unknown'}`,
      hue: 'neutral',
    };
  if (state !== 'active') return { text: STATE_TEXTS[state], hue: state === 'missing' ? 'warn' : 'neutral' };
  if (lastScan === null) return { text: 'Never scanned', hue: 'warn' };
  if (lastScan.status !== 'succeeded' || lastScan.outcome === 'incomplete')
    return scanLabel(lastScan, counts.open);
  // the past of a repository may hold what its head does not
  const worst = SEVERITIES.find((severity) => counts[severity] > 0);
  if (worst !== undefined) return { text: formatCount(counts.open, 'finding'), hue: worst };
  if (lastScan.outcome === 'findings') return { text: 'Nothing open', hue: 'ok' };
  return scanLabel(lastScan, 0);
}

/** Why it cannot be scanned; `null` where it can. */
export function scanBlockReason({ state, excludedBecause }: RepositoryFacts): string | null {
  switch (state) {
    case 'active':
      return null;
    case 'excluded':
      return `It is left out: ${EXCLUSION_TEXTS[excludedBecause ?? ''] ?? 'unknown'}.`;
    case 'empty':
      return 'There is nothing in it yet. It is scanned once something is pushed.';
    case 'missing':
      return 'GitLab does not list it any more. Listed again, it returns by itself.';
    case 'removed':
      return 'It is no longer at GitLab.';
  }
}

export const SCANNER_STATUS_LABELS: Record<
  'ok' | 'failed' | 'unavailable' | 'not_applicable' | 'off',
  Label
> = {
  ok: { text: 'Done', hue: 'ok' },
  failed: { text: 'Failed', hue: 'bad' },
  unavailable: { text: 'Not installed', hue: 'warn' },
  not_applicable: { text: 'Does not apply', hue: 'neutral' },
  off: { text: 'Off', hue: 'neutral' },
};

/** `2 too large, 1 binary`; nothing where none was skipped. */
export function skippedText(skipped: readonly { reason: string; count: number }[]): string {
  return skipped
    .map((each) => `${each.count.toLocaleString('en')} ${each.reason.replaceAll('_', ' ')}`)
    .join(', ');
}

/** The first characters of `sha256:…` that tell one set of rules from another. */
export function shortRules(rules: string | null): string {
  return rules === null ? '–' : rules.replace(/^sha256:/, '').slice(0, 8);
}

export const TRIGGER_TEXTS: Record<string, string> = {
  created: 'first scan',
  sync: 'started by a sync',
  schedule: 'scheduled',
  manual: 'asked for',
};

export const HISTORY_TEXTS: Record<string, string> = {
  none: 'the head alone',
  since: 'what is new since the last scan',
  full: 'the whole history',
};

const ADVICE: Record<string, string> = {
  repository_gone: 'It is no longer at GitLab. Listed again, it returns by itself.',
  repository_forbidden:
    'GitLab does not let the token read it. Give its owner at least the role Reporter there.',
  clone_failed:
    'git could not clone it. The last findings are kept; scan again, and look at the log if it stays so.',
  clone_too_large: 'The last findings are kept. Raise SECU_CLONE_MAX_BYTES, or exclude the repository.',
  clone_timed_out: 'The last findings are kept. Raise SECU_CLONE_TIMEOUT, or exclude the repository.',
  scan_timed_out: 'The last findings are kept. Raise SECU_SCAN_TIMEOUT, or exclude the repository.',
  scanner_crashed:
    'The repository does not count as clean. Scan again; if it fails twice, report the scan’s id.',
  disk_low:
    'No clone starts before there is room again: free some space in SECU_HOME, or lower SECU_DISK_RESERVE.',
  canceled: 'Somebody canceled it. The last findings are kept.',
};

/** What to do about the cause of a scan that did not end well. */
export function scanAdvice(cause: string): string {
  return ADVICE[cause] ?? 'The last findings are kept. Scan again.';
}

/** The steps of a scan, each with what is known of it, in the order in which they happen. */
export function scanPhases(
  scan: {
    status: string;
    phase: string | null;
    queuedAt: string;
    startedAt: string | null;
    finishedAt: string | null;
    cloneMs: number | null;
  },
  nowMs: number,
): { name: string; state: 'done' | 'now' | 'ahead' | 'stopped' | 'unreached'; ms: number | null }[] {
  const { status, phase, queuedAt, startedAt, finishedAt, cloneMs } = scan;
  const order = ['queued', 'cloning', 'scanning', 'storing'];
  const ended = finishedAt !== null;
  const at = status === 'queued' ? 0 : ended ? order.length : Math.max(1, order.indexOf(phase ?? 'cloning'));
  const startMs = startedAt === null ? null : Date.parse(startedAt);
  const endMs = ended ? Date.parse(finishedAt) : nowMs;
  const msOf: Record<string, number | null> = {
    queued: Math.max(0, (startMs ?? endMs) - Date.parse(queuedAt)),
    cloning: cloneMs ?? (startMs !== null && at === 1 ? Math.max(0, endMs - startMs) : null),
    scanning: startMs !== null && cloneMs !== null && at >= 2 ? Math.max(0, endMs - startMs - cloneMs) : null,
    storing: null,
  };
  const succeeded = status === 'succeeded';
  return order.map((name, index) => {
    if (ended && !succeeded && !reached(name, scan)) return { name, state: 'unreached', ms: null };
    const next = order[index + 1];
    if (ended && !succeeded && (next === undefined || !reached(next, scan)))
      return { name, state: 'stopped', ms: msOf[name] ?? null };
    const state = index < at ? 'done' : index === at ? 'now' : 'ahead';
    return { name, state, ms: state === 'ahead' ? null : (msOf[name] ?? null) };
  });
}

function reached(
  name: string,
  { startedAt, cloneMs }: { startedAt: string | null; cloneMs: number | null },
): boolean {
  if (name === 'queued') return true;
  if (name === 'cloning') return startedAt !== null;
  return name === 'scanning' && cloneMs !== null;
}
