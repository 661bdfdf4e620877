import type { Registry } from '@prometheus-io/client';
import { Counter, Histogram } from '@prometheus-io/client';

/** Metrics of the API process. */
export interface HttpMetrics {
  /** `route` is the pattern of the route, never a path; `null` where none matched. */
  requestEnded(request: { method: string; route: string | null; status: number; durationMs: number }): void;
  text(): Promise<string>;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const NO_ROUTE = 'unmatched';

/** Labels have few values: route patterns, methods, statuses. */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  const labelNames = ['method', 'route', 'status'] as const;
  const registers = [registry];
  const requests = new Counter({
    name: 'secu_http_requests_total',
    help: 'Requests answered, by method, route pattern and status.',
    labelNames,
    registers,
  });
  const durations = new Histogram({
    name: 'secu_http_request_duration_seconds',
    help: 'Time until the answer began, by method, route pattern and status.',
    labelNames,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 16],
    registers,
  });
  return {
    requestEnded({ method, route, status, durationMs }) {
      const labels = {
        method: METHODS.has(method) ? method : 'other',
        route: route ?? NO_ROUTE,
        status: String(status),
      };
      requests.inc(labels);
      durations.observe(labels, durationMs / 1_000);
    },
    text: () => registry.metrics(),
  };
}
