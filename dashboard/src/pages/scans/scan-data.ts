import { queryOptions } from '@tanstack/react-query';
import { api, ask } from '../../api/api.ts';
import { keys } from '../../api/query-keys.ts';

const fetchScan = (id: string) => ask(api.scans[':id'].$get({ param: { id } }));
export type Scan = Awaited<ReturnType<typeof fetchScan>>;

export const scanQuery = (id: string) =>
  queryOptions({ queryKey: keys.scan(id), queryFn: () => fetchScan(id) });
