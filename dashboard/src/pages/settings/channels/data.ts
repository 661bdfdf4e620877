import { queryOptions } from '@tanstack/react-query';
import type { InferRequestType } from 'hono/client';
import { api, ask } from '../../../api/api.ts';
import { keys } from '../../../api/query-keys.ts';
import { everyItem } from '../../../lists/all-items.ts';

export const channelsQuery = queryOptions({
  queryKey: keys.channels,
  queryFn: () => everyItem((cursor) => ask(api.channels.$get({ query: { limit: 200, cursor } }))),
});
export type Channel = Awaited<ReturnType<typeof fetchChannels>>['items'][number];
const fetchChannels = () => ask(api.channels.$get({ query: {} }));

export const SHOWN_DELIVERIES = 50;
export const deliveriesQuery = (id: string) =>
  queryOptions({
    queryKey: keys.deliveries(id),
    queryFn: () => fetchDeliveries(id),
  });
const fetchDeliveries = (id: string) =>
  ask(api.channels[':id'].deliveries.$get({ param: { id }, query: { limit: SHOWN_DELIVERIES } }));
export type Delivery = Awaited<ReturnType<typeof fetchDeliveries>>['items'][number];

export type NewChannel = InferRequestType<typeof api.channels.$post>['json'];
export type ChannelPatch = InferRequestType<(typeof api.channels)[':id']['$patch']>['json'];
