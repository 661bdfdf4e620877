import type { InfiniteData, QueryClient, QueryKey } from '@tanstack/react-query';

export const PAGE_SIZE = 100;
/** No list goes further: nobody reads on, and a browser has an end of its own. */
export const MAX_ROWS = 10_000;
export const MAX_PAGES = MAX_ROWS / PAGE_SIZE;

/** The rows of all pages, each once: what changed its place between two pages may be on both. */
export function uniqueRows<T extends { id: string }>(
  list: { pages: readonly { items: readonly T[] }[] } | undefined,
): T[] {
  return [
    ...new Map((list?.pages ?? []).flatMap(({ items }) => items.map((item) => [item.id, item]))).values(),
  ];
}

/** A list cut to its first page, which alone is then asked anew. */
export function firstPageOnly<P, C>(list: InfiniteData<P, C>): InfiniteData<P, C> {
  return { pages: list.pages.slice(0, 1), pageParams: list.pageParams.slice(0, 1) };
}

/** Asks for a list anew from its start: one request, however far it had been read. */
export async function restartList(client: QueryClient, queryKey: QueryKey): Promise<void> {
  client.setQueryData<InfiniteData<unknown>>(queryKey, (list) =>
    list === undefined ? undefined : firstPageOnly(list),
  );
  await client.invalidateQueries({ queryKey, exact: true });
}
