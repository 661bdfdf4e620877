import type { LiveEvent } from '../../live/live-event.ts';
import type { FindingQuery } from './filters.ts';

/** By scan: how many it named that pass the filter, `null` while it named none, and how many it says it opened. */
export type NewFindings = Readonly<Record<string, { named: number | null; said: number }>>;

export const NO_NEW_FINDINGS: NewFindings = {};

/**
 * Takes in what an event adds to a list that stays as it is. A repository's first scan names no finding and says only
 * how many there are; what of those would pass the filter is not known. Names and summary may come in any order.
 */
export function countEvent(since: NewFindings, event: LiveEvent, query: FindingQuery): NewFindings {
  const { kind, data } = event;
  const scanId = typeof data['scanId'] === 'string' ? data['scanId'] : '';
  const before = since[scanId] ?? { named: null, said: 0 };
  const passes = matchesQuery(event, query);
  if (kind === 'finding.opened' || kind === 'finding.reopened')
    return { ...since, [scanId]: { ...before, named: (before.named ?? 0) + (passes ? 1 : 0) } };
  if (kind !== 'scan.finished' || !passes || typeof data['opened'] !== 'number') return since;
  return { ...since, [scanId]: { ...before, said: data['opened'] } };
}

export function totalNew(since: NewFindings): number {
  return Object.values(since).reduce((sum, { named, said }) => sum + (named ?? said), 0);
}

function matchesQuery({ integrationId, repositoryId, data }: LiveEvent, query: FindingQuery): boolean {
  const passes = (filter: string | undefined, value: unknown) =>
    filter === undefined || typeof value !== 'string' || filter.split(',').includes(value);
  return (
    passes(query.status, 'open') &&
    passes(query.integrationId, integrationId) &&
    passes(query.repositoryId, repositoryId) &&
    passes(query.severity, data['severity'])
  );
}
