import type { InfiniteData, QueryClient, QueryKey } from '@tanstack/react-query';
import { queryKeys } from '../api/query-keys.ts';
import type { EventKind } from '../api/types.ts';
import { firstPageOnly } from '../lists/list-pages.ts';
import type { LiveEvent } from './live-event.ts';

const FLUSH_INTERVAL_MS = 1_000;

type AreaOf<K extends string> = K extends `${infer Area}.${string}` ? Area : never;

/** The subject of an event, and what was loaded about it. */
interface Subject {
  kind: string;
  integration: QueryKey[];
  repository: QueryKey[];
  scan: QueryKey[];
  finding: QueryKey[];
}

const { overview, integrations, repositorySearches, summaries, channels, apiKeys, users } = queryKeys;

const ofIntegration = ({ integration }: Subject) => [
  ...integration,
  integrations,
  repositorySearches,
  overview,
];

/** By area of events, the part of a kind before the dot. */
const AFFECTED: Record<AreaOf<EventKind>, (subject: Subject) => QueryKey[]> = {
  integration: ofIntegration,
  sync: ofIntegration,
  repository: ({ integration, repository }) => [...integration, ...repository, overview],
  scan: ({ kind, integration, repository, scan }) =>
    kind === 'scan.progress'
      ? [...scan, ...repository]
      : [...integration, ...repository, ...scan, repositorySearches, summaries, overview],
  finding: ({ finding, repository }) => [...finding, ...repository, summaries, overview],
  notification: () => [channels, overview],
  channel: () => [channels, overview],
  api_key: () => [apiKeys],
  user: () => [users],
  auth: () => [users],
  export: () => [],
  settings: ofIntegration,
  request: () => [],
};

/**
 * The queries that an event makes stale. Infinite lists are not among them, because a refetch costs one request per
 * loaded page: they count new rows and offer to show them.
 */
export function affectedQueryKeys({ kind, integrationId, repositoryId, data }: LiveEvent): QueryKey[] {
  const area = kind.split('.')[0] ?? '';
  if (!isArea(area)) return [];
  const { scanId, findingId } = data;
  return AFFECTED[area]({
    kind,
    integration: integrationId === null ? [] : [queryKeys.integration(integrationId)],
    repository: repositoryId === null ? [] : [queryKeys.repository(repositoryId)],
    scan: typeof scanId === 'string' ? [queryKeys.scan(scanId)] : [],
    finding: typeof findingId === 'string' ? [queryKeys.finding(findingId)] : [],
  });
}

function isArea(text: string): text is keyof typeof AFFECTED {
  return Object.hasOwn(AFFECTED, text);
}

/** Refetches everything in view after a gap that the stream cannot fill; long lists restart from their first page. */
export function refreshAll(client: QueryClient): void {
  client.setQueriesData<unknown>({ type: 'active' }, (data: unknown) =>
    isInfiniteList(data) ? firstPageOnly(data) : data,
  );
  void client.invalidateQueries();
}

function isInfiniteList(data: unknown): data is InfiniteData<unknown> {
  return typeof data === 'object' && data !== null && 'pages' in data && 'pageParams' in data;
}

/** Collects query keys and invalidates each at most once a second, and none while the page is hidden. */
export function createInvalidator(client: QueryClient) {
  const pending = new Map<string, QueryKey>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    if (document.hidden) return;
    for (const queryKey of pending.values()) void client.invalidateQueries({ queryKey });
    pending.clear();
  };
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && pending.size > 0) flush();
  });
  return (...added: QueryKey[]) => {
    for (const key of added) pending.set(JSON.stringify(key), key);
    if (timer === undefined) timer = setTimeout(flush, FLUSH_INTERVAL_MS);
  };
}
