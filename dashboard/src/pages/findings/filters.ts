import type { FindingKind, FindingStatus, Severity } from '../../api/types.ts';
import { SEVERITIES } from '../../format/labels.ts';
import { parseList } from '../../lists/search-params.ts';
import { KIND_TEXTS, STATUS_TEXTS } from './finding-labels.ts';

export const STATUSES = Object.keys(STATUS_TEXTS) as FindingStatus[];
export const KINDS = Object.keys(KIND_TEXTS) as FindingKind[];

/** The filters in the address of the page; defaults are left out. */
export type FindingSearch = {
  status?: string;
  severity?: string;
  kind?: string;
  integration?: string;
  repository?: string;
  q?: string;
  /** Id of the finding that is open in the panel. */
  finding?: string;
};

/** The filters in the format of the API. */
export type FindingQuery = Partial<
  Record<'status' | 'severity' | 'kind' | 'integrationId' | 'repositoryId' | 'q', string>
>;
export type Facet = keyof FacetValue;

interface FacetValue {
  status: FindingStatus;
  severity: Severity;
  kind: FindingKind;
}
const VALUES: { [F in Facet]: readonly FacetValue[F][] } = {
  status: STATUSES,
  severity: SEVERITIES,
  kind: KINDS,
};
const DEFAULT_STATUS = 'open';

/** The selected values of a facet, without unknown ones; the status defaults to open. */
export function facetValues<F extends Facet>(search: FindingSearch, facet: F): FacetValue[F][] {
  const set: readonly string[] = parseList<string>(search[facet], VALUES[facet]);
  const selected = set.length === 0 && facet === 'status' ? [DEFAULT_STATUS] : set;
  return selected as FacetValue[F][];
}

/** The search with another selection for a facet. */
export function withFacet(search: FindingSearch, facet: Facet, selected: readonly string[]): FindingSearch {
  const text = parseList<string>(selected.join(), VALUES[facet]).join();
  const isDefault = text === '' || (facet === 'status' && text === DEFAULT_STATUS);
  return isDefault ? without(search, [facet]) : { ...search, [facet]: text };
}

export function without(search: FindingSearch, names: readonly (keyof FindingSearch)[]): FindingSearch {
  const removed: readonly string[] = names;
  return Object.fromEntries(Object.entries(search).filter(([name]) => !removed.includes(name)));
}

/** Whether "Clear filters" would change the list. */
export function isNarrowed(search: FindingSearch): boolean {
  return Object.keys(without(search, ['finding'])).length > 0;
}

/** URL of the export of a query. */
export function exportHref(query: FindingQuery, format: 'csv' | 'sarif'): string {
  return `/api/v1/findings.${format}?${new URLSearchParams(query)}`;
}

export function toApiQuery(search: FindingSearch): FindingQuery {
  const severity = facetValues(search, 'severity').join();
  const kind = facetValues(search, 'kind').join();
  const { integration, repository, q } = search;
  return {
    status: facetValues(search, 'status').join(),
    ...(severity === '' ? {} : { severity }),
    ...(kind === '' ? {} : { kind }),
    ...(integration === undefined ? {} : { integrationId: integration }),
    ...(repository === undefined ? {} : { repositoryId: repository }),
    ...(q === undefined ? {} : { q }),
  };
}
