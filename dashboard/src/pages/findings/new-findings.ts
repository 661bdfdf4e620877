import type { LiveEvent } from '../../live/live-event.ts';
import type { FindingQuery } from './filters.ts';

/**
 * New findings by scan. `named`: those that events named and that match the filter, `null` if none was named.
 * `announced`: the number in the summary of the scan.
 */
export type NewFindings = Readonly<Record<string, { named: number | null; announced: number }>>;

export const NO_NEW_FINDINGS: NewFindings = {};

/**
 * Counts what an event adds to the list. The first scan of a repository names no findings, only their number, so the
 * filter cannot be applied to them. Events and summary may arrive in any order.
 */
export function countEvent(counts: NewFindings, event: LiveEvent, query: FindingQuery): NewFindings {
  const { kind, data } = event;
  const scanId = typeof data['scanId'] === 'string' ? data['scanId'] : '';
  const previous = counts[scanId] ?? { named: null, announced: 0 };
  const matches = matchesQuery(event, query);
  if (kind === 'finding.opened' || kind === 'finding.reopened')
    return { ...counts, [scanId]: { ...previous, named: (previous.named ?? 0) + (matches ? 1 : 0) } };
  if (kind !== 'scan.finished' || !matches || typeof data['opened'] !== 'number') return counts;
  return { ...counts, [scanId]: { ...previous, announced: data['opened'] } };
}

export function totalNew(counts: NewFindings): number {
  return Object.values(counts).reduce((sum, { named, announced }) => sum + (named ?? announced), 0);
}

function matchesQuery({ integrationId, repositoryId, data }: LiveEvent, query: FindingQuery): boolean {
  const matches = (filter: string | undefined, value: unknown) =>
    filter === undefined || typeof value !== 'string' || filter.split(',').includes(value);
  return (
    matches(query.status, 'open') &&
    matches(query.integrationId, integrationId) &&
    matches(query.repositoryId, repositoryId) &&
    matches(query.severity, data['severity'])
  );
}
