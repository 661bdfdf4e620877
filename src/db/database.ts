import { MikroORM } from '@mikro-orm/postgresql';
import { SecuError } from '../domain/errors.ts';
import { ENTITIES } from './entities/index.ts';
import type { SchemaState } from './migrate.ts';
import { schemaStateOf } from './migrate.ts';
import { ReleasingDriver } from './postgres-driver.ts';
import type { Stores } from './stores/index.ts';
import { createStores } from './stores/index.ts';

export { isDatabaseAway } from './postgres-driver.ts';

export interface Database {
  /** Stores outside any transaction: each call commits on its own. */
  stores: Stores;
  /** Runs `work` in one transaction. */
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
export async function openDatabase(input: { url: string; poolMax: number }): Promise<Database> {
  const orm = await MikroORM.init({
    entities: ENTITIES,
    driver: ReleasingDriver,
    clientUrl: input.url,
    pool: { min: 0, max: input.poolMax },
    driverOptions: {
      statement_timeout: STATEMENT_TIMEOUT_MS,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    },
    allowGlobalContext: false,
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
