import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, request } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { MAX_PAGES, PAGE_SIZE } from '../../lists/list-pages.ts';

export const fetchRepository = (id: string) => request(api.repositories[':id'].$get({ param: { id } }));
export type Repository = Awaited<ReturnType<typeof fetchRepository>>;

export const repositoryQuery = (id: string) =>
  queryOptions({ queryKey: queryKeys.repository(id), queryFn: () => fetchRepository(id) });

export const SORTS = ['fullPath', '-fullPath', '-lastActivityAt', 'lastActivityAt'] as const;
export type RepositorySort = (typeof SORTS)[number];

/** Filters in the format of the API. */
export type RepositoryFilter = Partial<Record<'integrationId' | 'state' | 'q', string>> & {
  sort?: RepositorySort;
};

const fetchPage = (filter: RepositoryFilter, cursor: string | null) =>
  request(
    api.repositories.$get({
      query: { ...filter, limit: String(PAGE_SIZE), ...(cursor === null ? {} : { cursor }) },
    }),
  );
type RepositoryPage = Awaited<ReturnType<typeof fetchPage>>;

export const repositoriesQuery = (filter: RepositoryFilter) =>
  infiniteQueryOptions({
    queryKey: queryKeys.repositoryList(filter),
    queryFn: ({ pageParam }) => fetchPage(filter, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last, pages) => (pages.length < MAX_PAGES ? last.nextCursor : null),
    placeholderData: keepPreviousData,
  });

/** Updates a repository in every cached list without moving its row. */
export function patchRepository(client: QueryClient, repository: Repository): void {
  client.setQueriesData<InfiniteData<RepositoryPage>>({ queryKey: ['repository-list'] }, (list) =>
    list === undefined
      ? undefined
      : {
          ...list,
          pages: list.pages.map((page) => ({
            ...page,
            items: page.items.map((item) => (item.id === repository.id ? repository : item)),
          })),
        },
  );
}
