import type { LiveEvent } from '../../live-event.ts';
import type { FindingQuery } from './filters.ts';

export interface NewSince {
  count: number;
  /** Scans whose findings came one by one: their summary must not count them again. */
  scans: readonly string[];
}

export const NOTHING_NEW: NewSince = { count: 0, scans: [] };

/**
 * Counts what an event adds to a list that stays as it is. A repository's first scan names no finding and says only
 * how many there are; what of those would pass the filter is not known.
 */
export function countNew(since: NewSince, event: LiveEvent, query: FindingQuery): NewSince {
  const { kind, data } = event;
  const scanId = typeof data['scanId'] === 'string' ? data['scanId'] : '';
  if (kind !== 'finding.opened' && kind !== 'finding.reopened' && kind !== 'scan.finished') return since;
  if (kind === 'scan.finished') {
    const opened = typeof data['opened'] === 'number' ? data['opened'] : 0;
    if (since.scans.includes(scanId) || !concerns(event, query)) return since;
    return { ...since, count: since.count + opened };
  }
  const scans = since.scans.includes(scanId) ? since.scans : [...since.scans, scanId];
  return { count: since.count + (concerns(event, query) ? 1 : 0), scans };
}

function concerns({ integrationId, repositoryId, data }: LiveEvent, query: FindingQuery): boolean {
  const passes = (filter: string | undefined, value: unknown) =>
    filter === undefined || typeof value !== 'string' || filter.split(',').includes(value);
  return (
    passes(query.status, 'open') &&
    passes(query.integrationId, integrationId) &&
    passes(query.repositoryId, repositoryId) &&
    passes(query.severity, data['severity'])
  );
}
