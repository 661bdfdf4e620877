import type { Registry } from '@prometheus-io/client';
import type { Database } from '../db/database.ts';
import type { Log } from '../log/logger.ts';
import { mergeExpositions } from '../metrics/exposition.ts';

const REPORT_EVERY_MS = 10_000;
const SDK_TIMEOUT_MS = 2_000;

/**
 * Writes the metrics of this worker to its row every ten seconds: its own, and those of Temporal's SDK from a loopback port.
 * The API serves them, so one address is enough to scrape.
 * @returns a function that stops the loop and removes the row
 */
export function startReporting(input: {
  id: string;
  queues: readonly string[];
  registry: Registry;
  /** Port of the exporter of Temporal's SDK. */
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
        log.warn({ err }, 'the metrics of this worker could not be stored');
      }
      await waitForNextReport(stopping.signal);
    }
  };
  const running = loop();
  return async () => {
    stopping.abort();
    await running;
    try {
      await database.stores.workerReports.remove(id);
    } catch (err) {
      log.warn({ err }, 'the metrics row of this worker could not be removed; it expires by itself');
    }
  };
}

/** An error here does not prevent the report. */
async function sdkMetrics({ port, log }: { port: number; log: Log }): Promise<string> {
  try {
    const signal = AbortSignal.timeout(SDK_TIMEOUT_MS);
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal, redirect: 'error' });
    return response.ok ? await response.text() : '';
  } catch (err) {
    log.warn({ err }, 'the metrics of the Temporal SDK could not be read');
    return '';
  }
}

function waitForNextReport(signal: AbortSignal): Promise<void> {
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
