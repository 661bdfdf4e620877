import type { Word } from '../../words.ts';

const EXCLUSIONS: Record<string, string> = {
  archived: 'archived',
  filter: 'filter',
  fork: 'fork',
  personal: 'personal',
  pending_deletion: 'pending deletion',
  repository_disabled: 'repository disabled',
  access_too_low: 'access too low',
};

/** Why a repository is not scanned; `null` where it is. */
export function stateWord({
  state,
  excludedBecause,
}: {
  state: string;
  excludedBecause: string | null;
}): Word | null {
  switch (state) {
    case 'excluded':
      return {
        text: `Excluded: ${EXCLUSIONS[excludedBecause ?? 'filter'] ?? excludedBecause}`,
        hue: 'neutral',
      };
    case 'empty':
      return { text: 'Empty', hue: 'neutral' };
    case 'missing':
      return { text: 'Missing', hue: 'warn' };
    case 'removed':
      return { text: 'Removed', hue: 'neutral' };
    default:
      return null;
  }
}

/** What the last scan came to. Only a scan in which every scanner ended well is clean. */
export function lastScanWord(
  scan: { status: string; outcome: string | null; commit: string | null } | null,
): Word {
  if (scan === null) return { text: 'Never scanned', hue: 'warn' };
  switch (scan.status) {
    case 'failed':
      return { text: 'Failed', hue: 'bad' };
    case 'canceled':
      return { text: 'Canceled', hue: 'neutral' };
    case 'succeeded':
      return outcomeWord(scan);
    default:
      return { text: 'Scanning', hue: 'info' };
  }
}

function outcomeWord({ outcome, commit }: { outcome: string | null; commit: string | null }): Word {
  const at = commit === null ? '' : ` at ${commit.slice(0, 7)}`;
  if (outcome === 'clean') return { text: `Clean${at}`, hue: 'ok' };
  if (outcome === 'findings') return { text: `Findings${at}`, hue: 'high' };
  return { text: 'Incomplete', hue: 'warn' };
}
