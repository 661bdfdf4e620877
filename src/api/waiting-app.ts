import type { SecuError } from '../domain/errors.ts';
import type { Log } from '../log/logger.ts';
import type { HttpMetrics } from '../metrics/http.ts';
import type { ReadyChecks } from './deps.ts';
import { problemResponse } from './errors.ts';
import { requestScope, securityHeaders } from './middleware/request.ts';
import { createRouter } from './shared.ts';

/** The API while the database or its migrations are missing: alive, not ready, 503 for everything else. */
export function createWaitingApp(input: {
  log: Log;
  metrics: HttpMetrics;
  https: boolean;
  reason: () => { err: SecuError; checks: ReadyChecks };
}) {
  const { log } = input;
  const app = createRouter();
  app.use(requestScope({ log, metrics: input.metrics }));
  app.use(securityHeaders({ https: input.https }));
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', (c) => {
    const checks = Object.entries(input.reason().checks).map(([name, good]) => [
      name,
      good ? 'ok' : 'failed',
    ]);
    return c.json({ status: 'unready', checks: Object.fromEntries(checks) }, 503);
  });
  app.all('*', (c) => problemResponse({ c, err: input.reason().err, log }));
  return app;
}
