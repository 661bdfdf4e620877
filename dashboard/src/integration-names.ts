import { queryOptions } from '@tanstack/react-query';
import { api, ask } from './api.ts';
import { everyItem } from './every-item.ts';
import { keys } from './keys.ts';

/** Every integration by name, for choosing one and for going to one. */
export const integrationNamesQuery = queryOptions({
  queryKey: [...keys.integrations, 'names'],
  queryFn: async () => {
    const all = await everyItem((cursor) => ask(api.integrations.$get({ query: { limit: 200, cursor } })));
    return all.map(({ id, name, baseUrl }) => ({ id, name, baseUrl }));
  },
});
