import { queryOptions } from '@tanstack/react-query';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import { fetchAllItems } from '../../../lists/all-items.ts';

export const apiKeysQuery = queryOptions({
  queryKey: queryKeys.apiKeys,
  queryFn: () => fetchAllItems((cursor) => request(api['api-keys'].$get({ query: { limit: 200, cursor } }))),
});
export type ApiKey = Awaited<ReturnType<typeof fetchKeys>>['items'][number];
const fetchKeys = () => request(api['api-keys'].$get({ query: {} }));

export const KEY_ROLES: Record<ApiKey['role'], { text: string; may: string }> = {
  viewer: { text: 'Viewer', may: 'reads all but channels, keys, users and audit events' },
  operator: {
    text: 'Operator',
    may: 'also creates, verifies, syncs, scans, replaces tokens, judges findings',
  },
  admin: { text: 'Admin', may: 'may do everything' },
  calendar: { text: 'Calendar', may: 'reads the calendar of expiries, and nothing else' },
  metrics: { text: 'Metrics', may: 'reads /metrics, and nothing else' },
};
