import type { About, ReadyChecks } from '../api/deps.ts';
import { isolationIn } from '../metrics/isolation.ts';
import { pingTemporal } from '../temporal/connection.ts';
import { listAllTools } from './bundled-tools.ts';
import type { ProcessContext } from './process-context.ts';
import { secuVersion } from './version.ts';
import { queuesWithoutWorker } from './worker-presence.ts';

const READY_TIMEOUT_MS = 2_000;
/** A worker reports every ten seconds. */
const REPORT_KEPT_MS = 60_000;

/** The response of `/about`. */
export async function aboutOf({
  config,
  database,
  vault,
  temporal,
}: Pick<ProcessContext, 'config' | 'database' | 'vault' | 'temporal'>): Promise<About> {
  const tools = await listAllTools({ paths: config.toolPaths });
  const uses = new Map((await database.stores.keys.uses()).map(({ keyId, uses }) => [keyId, uses]));
  const workers = await database.stores.workerReports.fresh({ withinMs: REPORT_KEPT_MS });
  const ids = new Set([vault.sealingKeyId, ...uses.keys()]);
  return {
    version: secuVersion(),
    commit: null,
    temporalUi: config.temporal.uiUrl,
    namespace: temporal.namespace,
    database: `PostgreSQL ${await database.serverVersion()}`,
    tools: tools.map(({ name, tool, problem, optional }) => ({
      name,
      version: tool?.version ?? null,
      source: tool?.source ?? null,
      status: tool !== null ? 'ok' : problem !== null ? 'failed' : optional ? 'off' : 'unavailable',
    })),
    keys: [...ids].map((id) => ({
      id,
      state: id === vault.sealingKeyId ? 'seals' : 'opens',
      uses: uses.get(id) ?? 0,
    })),
    isolation: workers.flatMap(({ id, metrics }) => {
      const isolation = isolationIn(metrics);
      return isolation === null ? [] : [{ worker: id, ...isolation }];
    }),
  };
}

/** The checks of `/readyz`. Each component is checked now, for at most two seconds. */
export async function readyOf({
  database,
  temporal,
  temporalClient,
  queuePrefix = '',
}: Pick<ProcessContext, 'database' | 'temporal' | 'temporalClient'> & {
  queuePrefix?: string;
}): Promise<ReadyChecks> {
  const passes = async (check: () => Promise<boolean>) => {
    try {
      return await check();
    } catch {
      return false; // any error means: not ready
    }
  };
  const connection = temporalClient.connection;
  const [databaseOk, schemaOk, temporalOk, workersOk] = await Promise.all([
    passes(async () => database.ping().then(() => true)),
    passes(async () => {
      const { pending, unknown } = await database.schemaState();
      return pending.length + unknown.length === 0;
    }),
    passes(async () =>
      pingTemporal({ connection, namespace: temporal.namespace, timeoutMs: READY_TIMEOUT_MS }).then(
        () => true,
      ),
    ),
    passes(async () => {
      const missing = await queuesWithoutWorker({
        connection,
        namespace: temporal.namespace,
        queuePrefix,
        timeoutMs: READY_TIMEOUT_MS,
      });
      return missing.length === 0;
    }),
  ]);
  return { database: databaseOk, migrations: schemaOk, temporal: temporalOk, workers: workersOk };
}
