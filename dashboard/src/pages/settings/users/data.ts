import { queryOptions } from '@tanstack/react-query';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import { fetchAllItems } from '../../../lists/all-items.ts';

export type { User } from '../../../api/types.ts';

export const usersQuery = queryOptions({
  queryKey: queryKeys.users,
  queryFn: () => fetchAllItems((cursor) => request(api.users.$get({ query: { limit: 200, cursor } }))),
});
