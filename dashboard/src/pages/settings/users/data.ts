import { queryOptions } from '@tanstack/react-query';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import type { Role } from '../../../api/session.ts';
import { fetchAllItems } from '../../../lists/all-items.ts';

export const usersQuery = queryOptions({
  queryKey: queryKeys.users,
  queryFn: () => fetchAllItems((cursor) => request(api.users.$get({ query: { limit: 200, cursor } }))),
});
export type User = Awaited<ReturnType<typeof fetchUsers>>['items'][number];
const fetchUsers = () => request(api.users.$get({ query: {} }));

export const USER_ROLES: Record<Role, { text: string; may: string }> = {
  viewer: { text: 'Viewer', may: 'reads all but channels, keys, users and audit events' },
  operator: {
    text: 'Operator',
    may: 'also creates, verifies, syncs, scans, replaces tokens, judges findings',
  },
  admin: { text: 'Admin', may: 'also rotates, removes, releases the brake, and administers Secu' },
};
