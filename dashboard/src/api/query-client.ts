import { QueryClient } from '@tanstack/react-query';
import { Problem } from './problem.ts';

const MAX_RETRIES = 2;
const CACHE_TIME_MS = 600_000;

/** Events invalidate data, so nothing goes stale by time. Only failures that may be temporary are retried. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: CACHE_TIME_MS,
      refetchOnWindowFocus: false,
      retry: (failures, err) =>
        failures < MAX_RETRIES && err instanceof Problem && (err.status === 0 || err.status >= 500),
    },
  },
});
