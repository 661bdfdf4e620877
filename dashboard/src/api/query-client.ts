import { QueryClient } from '@tanstack/react-query';
import { Problem } from './problem.ts';

const TRIES = 2;
const KEEP_MS = 600_000;

/** Data stays good until an event says otherwise; only what may pass by itself is asked again. */
export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: KEEP_MS,
      refetchOnWindowFocus: false,
      retry: (failures, err) =>
        failures < TRIES && err instanceof Problem && (err.status === 0 || err.status >= 500),
    },
  },
});
