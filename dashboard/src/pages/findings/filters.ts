import { SEVERITIES } from '../../format/labels.ts';
import { parseList } from '../../lists/search-params.ts';

export const STATUSES = ['open', 'ignored', 'fixed', 'removed'] as const;
export type Status = (typeof STATUSES)[number];
export const KINDS = ['secret', 'code', 'dependency', 'config'] as const;
export type Kind = (typeof KINDS)[number];

/** The address of the page as people read it; whatever is at its default is left out. */
export type FindingSearch = {
  status?: string;
  severity?: string;
  kind?: string;
  integration?: string;
  repository?: string;
  q?: string;
  /** The finding whose details are open. */
  finding?: string;
};

/** The same as the API takes it. */
export type FindingQuery = Partial<
  Record<'status' | 'severity' | 'kind' | 'integrationId' | 'repositoryId' | 'q', string>
>;
export type Facet = 'status' | 'severity' | 'kind';

const VALUES = { status: STATUSES, severity: SEVERITIES, kind: KINDS } as const;
const DEFAULT_STATUS = 'open';

/** What a facet is set to; open findings unless told otherwise. Unknown values fall away. */
export function facetValues<F extends Facet>(search: FindingSearch, facet: F): (typeof VALUES)[F][number][] {
  const set: readonly string[] = parseList<string>(search[facet], VALUES[facet]);
  const chosen = set.length === 0 && facet === 'status' ? [DEFAULT_STATUS] : set;
  return chosen as (typeof VALUES)[F][number][];
}

/** The search with a facet set anew, as it stands in the address. */
export function withFacet(search: FindingSearch, facet: Facet, chosen: readonly string[]): FindingSearch {
  const text = parseList<string>(chosen.join(), VALUES[facet]).join();
  const isDefault = text === '' || (facet === 'status' && text === DEFAULT_STATUS);
  return isDefault ? without(search, [facet]) : { ...search, [facet]: text };
}

export function without(search: FindingSearch, names: readonly (keyof FindingSearch)[]): FindingSearch {
  const gone: readonly string[] = names;
  return Object.fromEntries(Object.entries(search).filter(([name]) => !gone.includes(name)));
}

/** Is the list narrowed in a way that "Clear" would undo? */
export function isNarrowed(search: FindingSearch): boolean {
  return Object.keys(without(search, ['finding'])).length > 0;
}

/** Address of all that a query finds, as a file. */
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
