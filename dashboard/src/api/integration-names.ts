import { queryOptions } from '@tanstack/react-query';
import { fetchAllItems } from '../lists/all-items.ts';
import { api, request } from './api.ts';
import { queryKeys } from './query-keys.ts';

/** Id, name and address of every integration, for selects and the command palette. */
export const integrationNamesQuery = queryOptions({
  queryKey: [...queryKeys.integrations, 'names'],
  queryFn: async () => {
    const all = await fetchAllItems((cursor) =>
      request(api.integrations.$get({ query: { limit: 200, cursor } })),
    );
    return all.map(({ id, name, baseUrl }) => ({ id, name, baseUrl }));
  },
});

/** Numbers of excluded and missing repositories, of one integration or of all. */
export const integrationCountsQuery = (id: string | undefined) =>
  queryOptions({
    queryKey: [...queryKeys.integrations, 'counts', id ?? 'all'],
    queryFn: async () => {
      const all = await fetchAllItems((cursor) =>
        request(api.integrations.$get({ query: { limit: 200, cursor } })),
      );
      const own = all.filter((integration) => id === undefined || integration.id === id);
      const sum = (name: 'excluded' | 'missing') =>
        own.reduce((total, { counts }) => total + counts[name], 0);
      return { excluded: sum('excluded'), missing: sum('missing') };
    },
  });
