import type { InfiniteData, QueryClient, QueryKey } from '@tanstack/react-query';
import { queryKeys } from '../api/query-keys.ts';
import { firstPageOnly } from '../lists/list-pages.ts';
import type { LiveEvent } from './event-stream.ts';

const FLUSH_INTERVAL_MS = 1_000;

/**
 * What an event makes old. Infinite lists are not here: many loaded pages would cost as many requests; they count
 * what is new and wait to be asked (`new-since.ts`).
 */
export function affectedQueryKeys(event: LiveEvent): QueryKey[] {
  const { integrationId, repositoryId, kind, data } = event;
  const area = kind.split('.')[0];
  const integration = integrationId === null ? [] : [queryKeys.integration(integrationId)];
  const repository = repositoryId === null ? [] : [queryKeys.repository(repositoryId)];
  const scan = typeof data['scanId'] === 'string' ? [queryKeys.scan(data['scanId'])] : [];
  const finding = typeof data['findingId'] === 'string' ? [queryKeys.finding(data['findingId'])] : [];
  switch (area) {
    case 'integration':
    case 'sync':
      return [...integration, queryKeys.integrations, queryKeys.repositorySearches, queryKeys.overview];
    case 'repository':
      return [...integration, ...repository, queryKeys.overview];
    case 'scan':
      if (kind === 'scan.progress') return [...scan, ...repository];
      return [
        ...integration,
        ...repository,
        ...scan,
        queryKeys.repositorySearches,
        queryKeys.summaries,
        queryKeys.overview,
      ];
    case 'finding':
      return [...finding, ...repository, queryKeys.summaries, queryKeys.overview];
    case 'notification':
    case 'channel':
      return [queryKeys.channels, queryKeys.overview];
    case 'api_key':
      return [queryKeys.apiKeys];
    case 'user':
    case 'auth':
      return [queryKeys.users];
    default:
      return [];
  }
}

/** Everything in view anew, after a gap that the stream does not bring back; long lists from their start. */
export function refreshAll(client: QueryClient): void {
  client.setQueriesData<unknown>({ type: 'active' }, (data: unknown) =>
    isInfiniteList(data) ? firstPageOnly(data) : data,
  );
  void client.invalidateQueries();
}

function isInfiniteList(data: unknown): data is InfiniteData<unknown> {
  return typeof data === 'object' && data !== null && 'pages' in data && 'pageParams' in data;
}

/** Collects keys; each is invalidated once a second at most, and none while the page is hidden. */
export function createInvalidator(client: QueryClient) {
  const waiting = new Map<string, QueryKey>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    if (document.hidden) return;
    for (const queryKey of waiting.values()) void client.invalidateQueries({ queryKey });
    waiting.clear();
  };
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && waiting.size > 0) flush();
  });
  return (...added: QueryKey[]) => {
    for (const key of added) waiting.set(JSON.stringify(key), key);
    if (timer === undefined) timer = setTimeout(flush, FLUSH_INTERVAL_MS);
  };
}
