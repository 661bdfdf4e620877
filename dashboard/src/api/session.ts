import { queryOptions, useQuery } from '@tanstack/react-query';
import { api, request } from './api.ts';
import { queryKeys } from './query-keys.ts';

const RANKS = { viewer: 0, operator: 1, admin: 2 } as const;
export type Role = keyof typeof RANKS;

export const meQuery = queryOptions({
  queryKey: queryKeys.me,
  queryFn: () => request(api.auth.me.$get()),
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
});

export type Me = Awaited<ReturnType<typeof fetchMe>>;
const fetchMe = () => request(api.auth.me.$get());

/** Who signed in. The shell has asked before any page is there. */
export function useMe(): Me {
  const { data } = useQuery(meQuery);
  if (data === undefined) throw new Error('nobody is signed in');
  return data;
}

/** May whoever signed in do what this role may? The server decides; this only leaves out what it would refuse. */
export function useHasRole(role: Role): boolean {
  const { role: own } = useMe();
  return RANKS[own as Role] >= RANKS[role];
}
