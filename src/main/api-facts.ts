import type { About, ReadyChecks } from '../api/deps.ts';
import { pingTemporal } from '../temporal/connection.ts';
import { listAllTools } from './bundled-tools.ts';
import { secuVersion } from './version.ts';
import { queuesWithoutWorker } from './worker-presence.ts';
import type { World } from './world.ts';

const READY_TIMEOUT_MS = 2_000;

/** What `/about` tells. */
export async function aboutOf({
  config,
  database,
  vault,
  temporal,
}: Pick<World, 'config' | 'database' | 'vault' | 'temporal'>): Promise<About> {
  const tools = await listAllTools({ paths: config.toolPaths });
  const uses = new Map((await database.stores.keys.uses()).map(({ keyId, uses }) => [keyId, uses]));
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
  };
}

/** What `/readyz` tells: each part asked now, at most two seconds. */
export async function readyOf({
  database,
  temporal,
  temporalClient,
  queuePrefix = '',
}: Pick<World, 'database' | 'temporal' | 'temporalClient'> & { queuePrefix?: string }): Promise<ReadyChecks> {
  const holds = async (check: () => Promise<boolean>) => {
    try {
      return await check();
    } catch {
      return false; // whatever it was: not ready
    }
  };
  const connection = temporalClient.connection;
  const [alive, fits, reachable, polling] = await Promise.all([
    holds(async () => database.ping().then(() => true)),
    holds(async () => {
      const { pending, unknown } = await database.schemaState();
      return pending.length + unknown.length === 0;
    }),
    holds(async () =>
      pingTemporal({ connection, namespace: temporal.namespace, timeoutMs: READY_TIMEOUT_MS }).then(
        () => true,
      ),
    ),
    holds(async () => {
      const missing = await queuesWithoutWorker({
        connection,
        namespace: temporal.namespace,
        queuePrefix,
        timeoutMs: READY_TIMEOUT_MS,
      });
      return missing.length === 0;
    }),
  ]);
  return { database: alive, migrations: fits, temporal: reachable, workers: polling };
}
