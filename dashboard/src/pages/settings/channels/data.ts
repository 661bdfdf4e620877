import { queryOptions } from '@tanstack/react-query';
import type { InferRequestType } from 'hono/client';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import { fetchAllItems } from '../../../lists/all-items.ts';

export type { Channel, Delivery } from '../../../api/types.ts';

export const channelsQuery = queryOptions({
  queryKey: queryKeys.channels,
  queryFn: () => fetchAllItems((cursor) => request(api.channels.$get({ query: { limit: 200, cursor } }))),
});

export const MAX_DELIVERIES = 50;
export const deliveriesQuery = (id: string) =>
  queryOptions({
    queryKey: queryKeys.deliveries(id),
    queryFn: () =>
      request(api.channels[':id'].deliveries.$get({ param: { id }, query: { limit: MAX_DELIVERIES } })),
  });

export type NewChannel = InferRequestType<typeof api.channels.$post>['json'];
export type ChannelPatch = InferRequestType<(typeof api.channels)[':id']['$patch']>['json'];
