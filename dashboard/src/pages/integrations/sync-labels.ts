import type { SyncRun } from '../../api/types.ts';
import type { Label } from '../../format/labels.ts';
import { causeTitle } from '../../format/labels.ts';

/** State or result of a sync. An incomplete sync never reads "Complete". */
export function syncRunLabel({
  state,
  cause,
  complete,
}: Pick<SyncRun, 'state' | 'cause' | 'complete'>): Label {
  switch (state) {
    case 'queued':
      return { text: 'Queued', hue: 'neutral' };
    case 'running':
      return { text: cause === null ? 'Running' : `Waiting: ${causeTitle(cause)}`, hue: 'info' };
    case 'waiting':
      return cause === 'brake_engaged'
        ? { text: 'Needs review', hue: 'warn' }
        : { text: `Waiting: ${causeTitle(cause)}`, hue: 'warn' };
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
export function changesText(run: Pick<SyncRun, (typeof CHANGES)[number] | 'queuedScans'>): string {
  const changes = CHANGES.filter((name) => run[name] > 0).map(
    (name) => `${run[name].toLocaleString('en')} ${name}`,
  );
  const scans = run.queuedScans === 0 ? [] : [`${run.queuedScans.toLocaleString('en')} scans queued`];
  return [...changes, ...scans].join(', ') || 'no changes';
}
