import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, request } from './api.ts';
import { queryKeys } from './query-keys.ts';
import type { Role } from './types.ts';

export type { Role } from './types.ts';

const RANKS: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

export const meQuery = queryOptions({
  queryKey: queryKeys.me,
  queryFn: () => request(api.auth.me.$get()),
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
});

export type Me = Awaited<ReturnType<typeof fetchMe>>;
const fetchMe = () => request(api.auth.me.$get());

/** The signed-in user. The shell loads it before it renders a page. */
export function useMe(): Me {
  const { data } = useQuery(meQuery);
  if (data === undefined) throw new Error('no user is signed in');
  return data;
}

/** Whether the user has at least this role. The server enforces it; pages only hide what it would refuse. */
export function useHasRole(role: Role): boolean {
  const { role: own } = useMe();
  return RANKS[own] >= RANKS[role];
}
