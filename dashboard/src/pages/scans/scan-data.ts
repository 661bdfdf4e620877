import { queryOptions } from '@tanstack/react-query';
import { api, request } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';

const fetchScan = (id: string) => request(api.scans[':id'].$get({ param: { id } }));
export type Scan = Awaited<ReturnType<typeof fetchScan>>;

export const scanQuery = (id: string) =>
  queryOptions({ queryKey: queryKeys.scan(id), queryFn: () => fetchScan(id) });
