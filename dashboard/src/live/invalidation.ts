import type { InfiniteData, QueryClient, QueryKey } from '@tanstack/react-query';
import { keys } from '../api/query-keys.ts';
import { firstPageOf } from '../lists/list-pages.ts';
import type { LiveEvent } from './event-stream.ts';

const EVERY_MS = 1_000;

/**
 * What an event makes old. Infinite lists are not here: many loaded pages would cost as many requests; they count
 * what is new and wait to be asked (`new-since.ts`).
 */
export function keysOf(event: LiveEvent): QueryKey[] {
  const { integrationId, repositoryId, kind, data } = event;
  const area = kind.split('.')[0];
  const integration = integrationId === null ? [] : [keys.integration(integrationId)];
  const repository = repositoryId === null ? [] : [keys.repository(repositoryId)];
  const scan = typeof data['scanId'] === 'string' ? [keys.scan(data['scanId'])] : [];
  const finding = typeof data['findingId'] === 'string' ? [keys.finding(data['findingId'])] : [];
  switch (area) {
    case 'integration':
    case 'sync':
      return [...integration, keys.integrations, keys.repositorySearches, keys.overview];
    case 'repository':
      return [...integration, ...repository, keys.overview];
    case 'scan':
      if (kind === 'scan.progress') return [...scan, ...repository];
      return [...integration, ...repository, ...scan, keys.repositorySearches, keys.summaries, keys.overview];
    case 'finding':
      return [...finding, ...repository, keys.summaries, keys.overview];
    case 'notification':
    case 'channel':
      return [keys.channels, keys.overview];
    case 'api_key':
      return [keys.apiKeys];
    case 'user':
    case 'auth':
      return [keys.users];
    default:
      return [];
  }
}

/** Everything in view anew, after a gap that the stream does not bring back; long lists from their start. */
export function refreshAll(client: QueryClient): void {
  client.setQueriesData<unknown>({ type: 'active' }, (data: unknown) =>
    isList(data) ? firstPageOf(data) : data,
  );
  void client.invalidateQueries();
}

function isList(data: unknown): data is InfiniteData<unknown> {
  return typeof data === 'object' && data !== null && 'pages' in data && 'pageParams' in data;
}

/** Collects keys; each is invalidated once a second at most, and none while the page is hidden. */
export function createRefresh(client: QueryClient) {
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
    if (timer === undefined) timer = setTimeout(flush, EVERY_MS);
  };
}
