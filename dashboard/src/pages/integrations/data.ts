import { queryOptions } from '@tanstack/react-query';
import { api, request } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';

const fetchIntegration = (id: string) => request(api.integrations[':id'].$get({ param: { id } }));

export type { Integration } from '../../api/types.ts';

/** The maximum of one answer; larger installations use the search. */
const LIMIT = '200';

export function integrationsQuery(filters: { status?: string; q?: string }) {
  return queryOptions({
    queryKey: [...queryKeys.integrations, filters],
    queryFn: () => request(api.integrations.$get({ query: { ...filters, limit: LIMIT, sort: 'name' } })),
  });
}

export function integrationQuery(id: string) {
  return queryOptions({
    queryKey: queryKeys.integration(id),
    queryFn: () => fetchIntegration(id),
  });
}
