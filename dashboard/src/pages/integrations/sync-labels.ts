import type { Label } from '../../format/labels.ts';
import { causeTitle } from '../../format/labels.ts';

export interface SyncRun {
  state: 'queued' | 'running' | 'waiting' | 'done' | 'failed';
  cause: string | null;
  complete: boolean;
  listed: number;
  added: number;
  renamed: number;
  excluded: number;
  missing: number;
  returned: number;
  removed: number;
  queuedScans: number;
}

/** How a listing ended, or where it stands. One that was not complete never reads as done. */
export function syncRunLabel({ state, cause, complete }: SyncRun): Label {
  switch (state) {
    case 'queued':
      return { text: 'Queued', hue: 'neutral' };
    case 'running':
      return { text: cause === null ? 'Running' : `Waits: ${causeTitle(cause)}`, hue: 'info' };
    case 'waiting':
      return cause === 'brake_engaged'
        ? { text: 'Held back', hue: 'warn' }
        : { text: `Waits: ${causeTitle(cause)}`, hue: 'warn' };
    case 'failed':
      return { text: `Failed: ${causeTitle(cause)}`, hue: 'bad' };
    case 'done':
      return complete
        ? { text: 'Complete', hue: 'neutral' }
        : { text: 'Incomplete: nothing removed', hue: 'warn' };
  }
}

const CHANGES = ['added', 'renamed', 'excluded', 'missing', 'returned', 'removed'] as const;

/** `3 added, 1 missing, 3 scans queued`. */
export function changesText(run: SyncRun): string {
  const changes = CHANGES.filter((name) => run[name] > 0).map(
    (name) => `${run[name].toLocaleString('en')} ${name}`,
  );
  const scans = run.queuedScans === 0 ? [] : [`${run.queuedScans.toLocaleString('en')} scans queued`];
  return [...changes, ...scans].join(', ') || 'no change';
}
