import { queryOptions, useQuery } from '@tanstack/react-query';
import { temporalLink } from '../format/temporal-link.ts';
import { api, request } from './api.ts';
import { queryKeys } from './query-keys.ts';

export const aboutQuery = queryOptions({
  queryKey: queryKeys.about,
  queryFn: () => request(api.about.$get()),
});

/** URL of a workflow (`integration:<id>`, `scan:<repositoryId>`) in Temporal's UI; `null` while unknown. */
export function useTemporalLink(workflowId: string): string | null {
  const { data } = useQuery(aboutQuery);
  return temporalLink(data, workflowId);
}
