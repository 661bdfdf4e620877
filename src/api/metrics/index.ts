import { Registry } from '@prometheus-io/client';
import { mergeExpositions } from '../../metrics/exposition.ts';
import type { ApiDeps } from '../deps.ts';
import { authenticate, requireMetricsReader } from '../middleware/authenticate.ts';
import { createRouter } from '../shared.ts';
import { gaugesText } from './gauges.ts';

/** A worker reports every few seconds; after this long without a report it counts as gone. */
const REPORT_KEPT_MS = 60_000;

/** `/metrics`: gauges from the database, metrics of this process, and the last report of each worker with a `worker` label. */
export function createMetricsRouter(deps: ApiDeps) {
  return createRouter().get('/metrics', authenticate(deps), requireMetricsReader(), async (c) =>
    c.body(await scrape(deps), 200, { 'Content-Type': Registry.PROMETHEUS_CONTENT_TYPE }),
  );
}

async function scrape(deps: ApiDeps): Promise<string> {
  const { metrics, workerReports } = deps.database.stores;
  const now = deps.now();
  const [ready, integrations, queues, repositories, workers, own] = await Promise.all([
    deps.ready(),
    metrics.integrations(),
    metrics.queues(now),
    metrics.repositories(now),
    workerReports.fresh({ withinMs: REPORT_KEPT_MS }),
    deps.metrics.text(),
  ]);
  const { version } = deps.settings;
  const rows = await gaugesText({ now, version, ready, integrations, queues, repositories, workers });
  return mergeExpositions([
    { text: rows },
    { text: own },
    ...workers.map(({ id, metrics: text }) => ({ text, labels: { worker: id } })),
  ]);
}
