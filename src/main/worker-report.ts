import type { Registry } from '@prometheus-io/client';
import type { Database } from '../db/database.ts';
import type { Log } from '../log/logger.ts';
import { mergeExpositions } from '../metrics/exposition.ts';

const REPORT_EVERY_MS = 10_000;
const SDK_TIMEOUT_MS = 2_000;

/**
 * Keeps this worker's row of metrics fresh: its own, and those that Temporal's SDK shows on a loopback port. The API
 * serves them, so that one address is enough to scrape, wherever workers run.
 * @returns a function that stops it and takes the row away
 */
export function startReporting(input: {
  id: string;
  queues: readonly string[];
  registry: Registry;
  /** Where the SDK's exporter listens. */
  sdkPort: number;
  database: Database;
  log: Log;
}): () => Promise<void> {
  const { id, queues, registry, sdkPort, database, log } = input;
  const stopping = new AbortController();
  const report = async () => {
    const own = { text: await registry.metrics() };
    const metrics = mergeExpositions([own, { text: await sdkMetrics({ port: sdkPort, log }) }]);
    await database.stores.workerReports.put({ id, queues: [...queues], metrics });
  };
  const loop = async () => {
    while (!stopping.signal.aborted) {
      try {
        await report();
      } catch (err) {
        log.warn({ err }, 'this worker could not report its metrics');
      }
      await pause(stopping.signal);
    }
  };
  const running = loop();
  return async () => {
    stopping.abort();
    await running;
    try {
      await database.stores.workerReports.remove(id);
    } catch (err) {
      log.warn({ err }, 'the report of this worker stays until it is too old');
    }
  };
}

/** Without the SDK's part a report is still worth having. */
async function sdkMetrics({ port, log }: { port: number; log: Log }): Promise<string> {
  try {
    const signal = AbortSignal.timeout(SDK_TIMEOUT_MS);
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal, redirect: 'error' });
    return response.ok ? await response.text() : '';
  } catch (err) {
    log.warn({ err }, 'the metrics of the Temporal SDK cannot be read');
    return '';
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, REPORT_EVERY_MS);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
