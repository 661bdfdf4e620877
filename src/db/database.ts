import { MikroORM } from '@mikro-orm/postgresql';
import { SecuError } from '../domain/errors.ts';
import { ENTITIES } from './entities/index.ts';
import type { SchemaState } from './migrate.ts';
import { schemaStateOf } from './migrate.ts';
import type { Stores } from './stores/index.ts';
import { createStores } from './stores/index.ts';

export interface Database {
  /** Each call on its own, outside any transaction. */
  stores: Stores;
  /** All of `work` or nothing of it. */
  transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  /** @throws SecuError `database_unavailable` */
  ping(): Promise<void>;
  /** Version text of the server, such as `18.4`. */
  serverVersion(): Promise<string>;
  schemaState(): Promise<SchemaState>;
  close(): Promise<void>;
}

const STATEMENT_TIMEOUT_MS = 60_000;

/**
 * A pool of connections and the stores over it. `poolMax` is connections.
 * @throws SecuError `database_unavailable`
 */
export async function openDatabase(input: {
  url: string;
  poolMax: number;
  onStatement?: (statement: string) => void;
}): Promise<Database> {
  const orm = await MikroORM.init({
    entities: ENTITIES,
    clientUrl: input.url,
    pool: { min: 0, max: input.poolMax },
    driverOptions: {
      statement_timeout: STATEMENT_TIMEOUT_MS,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    },
    allowGlobalContext: false,
    ...(input.onStatement === undefined ? {} : observing(input.onStatement)),
  });
  const fork = () => orm.em.fork();
  return {
    stores: createStores(fork),
    async transaction(work) {
      return fork().transactional(async (em) => work(createStores(() => em)));
    },
    async ping() {
      try {
        await fork().execute('select 1');
      } catch (err) {
        throw new SecuError('database_unavailable', 'the database does not answer', { cause: err });
      }
    },
    async serverVersion() {
      const [row] = await fork().execute<{ version: string }[]>(
        `select current_setting('server_version') as version`,
      );
      return row?.version ?? 'unknown';
    },
    async schemaState() {
      return schemaStateOf((text) => fork().execute(text));
    },
    async close() {
      await orm.close(true);
    },
  };
}

function observing(onStatement: (statement: string) => void) {
  return { debug: ['query' as const], colors: false, logger: onStatement };
}

/** True for an error that says the database is away or refuses for now: worth a 503 and another try. */
export function isDatabaseAway(err: unknown): boolean {
  if (!(err instanceof Error)) return false;
  const code = 'code' in err && typeof err.code === 'string' ? err.code : '';
  return (
    /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|08\w{3}|57P0[123]|53300|25006)$/.test(code) ||
    /Connection terminated|timeout exceeded when trying to connect|terminating connection/.test(
      err.message,
    ) ||
    (err.cause !== undefined && isDatabaseAway(err.cause))
  );
}
