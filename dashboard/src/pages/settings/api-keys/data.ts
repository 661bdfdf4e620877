import { queryOptions } from '@tanstack/react-query';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import type { ApiKey } from '../../../api/types.ts';
import { fetchAllItems } from '../../../lists/all-items.ts';
import type { RoleText } from '../roles.ts';
import { ROLE_TEXTS } from '../roles.ts';

export type { ApiKey } from '../../../api/types.ts';

export const apiKeysQuery = queryOptions({
  queryKey: queryKeys.apiKeys,
  queryFn: () => fetchAllItems((cursor) => request(api['api-keys'].$get({ query: { limit: 200, cursor } }))),
});

export const KEY_ROLES: Record<ApiKey['role'], RoleText> = {
  ...ROLE_TEXTS,
  calendar: { text: 'Calendar', permissions: 'Can only read the expiry calendar.' },
  metrics: { text: 'Metrics', permissions: 'Can only read /metrics.' },
};
