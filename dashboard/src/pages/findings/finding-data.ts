import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, request } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { MAX_PAGES, PAGE_SIZE } from '../../lists/list-pages.ts';
import type { FindingQuery } from './filters.ts';

const fetchPage = (query: FindingQuery, cursor: string | null) =>
  request(
    api.findings.$get({
      query: { ...query, limit: String(PAGE_SIZE), ...(cursor === null ? {} : { cursor }) },
    }),
  );
type FindingPage = Awaited<ReturnType<typeof fetchPage>>;
export type Finding = FindingPage['items'][number];

/** Events never invalidate it, so that rows do not move while the user reads. */
export const findingsQuery = (query: FindingQuery) =>
  infiniteQueryOptions({
    queryKey: queryKeys.findings(query),
    queryFn: ({ pageParam }) => fetchPage(query, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last, pages) => (pages.length < MAX_PAGES ? last.nextCursor : null),
    placeholderData: keepPreviousData,
  });

export const summaryQuery = (query: FindingQuery) =>
  queryOptions({
    queryKey: [...queryKeys.summaries, query],
    queryFn: () => request(api.findings.summary.$get({ query })),
    placeholderData: keepPreviousData,
  });

export const findingQuery = (id: string) =>
  queryOptions({
    queryKey: queryKeys.finding(id),
    queryFn: () => request(api.findings[':id'].$get({ param: { id } })),
  });

/** A finding from the cached lists. */
export function findingInLists(client: QueryClient, id: string): Finding | undefined {
  for (const [, list] of client.getQueriesData<InfiniteData<FindingPage>>({ queryKey: ['findings'] })) {
    for (const page of list?.pages ?? []) {
      const found = page.items.find((item) => item.id === id);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** Updates findings in every cached list and in the panel without moving rows. */
export function patchFindings(
  client: QueryClient,
  patches: ReadonlyMap<string, (finding: Finding) => Finding>,
): void {
  const patched = (finding: Finding) => patches.get(finding.id)?.(finding) ?? finding;
  client.setQueriesData<InfiniteData<FindingPage>>({ queryKey: ['findings'] }, (list) =>
    list === undefined
      ? undefined
      : { ...list, pages: list.pages.map((page) => ({ ...page, items: page.items.map(patched) })) },
  );
  for (const [id, patch] of patches)
    client.setQueryData(findingQuery(id).queryKey, (finding) =>
      finding === undefined ? undefined : patch(finding),
    );
}
