import type { InfiniteData, QueryClient, QueryKey } from '@tanstack/react-query';

export const PAGE_SIZE = 100;
/** Lists end here, to bound the memory of the browser. */
export const MAX_ROWS = 10_000;
export const MAX_PAGES = MAX_ROWS / PAGE_SIZE;

/** The rows of all pages without duplicates: a row that moved between two requests can be on two pages. */
export function uniqueRows<T extends { id: string }>(
  list: { pages: readonly { items: readonly T[] }[] } | undefined,
): T[] {
  return [
    ...new Map((list?.pages ?? []).flatMap(({ items }) => items.map((item) => [item.id, item]))).values(),
  ];
}

/** Drops all pages but the first, so that a refetch requests one page. */
export function firstPageOnly<P, C>(list: InfiniteData<P, C>): InfiniteData<P, C> {
  return { pages: list.pages.slice(0, 1), pageParams: list.pageParams.slice(0, 1) };
}

/** Reloads a list from its start with one request, however many pages were loaded. */
export async function restartList(client: QueryClient, queryKey: QueryKey): Promise<void> {
  client.setQueryData<InfiniteData<unknown>>(queryKey, (list) =>
    list === undefined ? undefined : firstPageOnly(list),
  );
  await client.invalidateQueries({ queryKey, exact: true });
}
