import type { Configuration } from '@mikro-orm/core';
import { PostgreSqlConnection, PostgreSqlDriver } from '@mikro-orm/postgresql';
import type { Driver } from 'kysely';

/**
 * MikroORM's driver, with transactions that release a broken connection. Kysely releases the connection of a controlled
 * transaction only after a successful `commit` or `rollback`, and never after a failed `begin`: each transaction that is
 * open while PostgreSQL restarts would occupy a connection of the pool permanently.
 * @see kysely 0.29, ControlledTransactionBuilder and ControlledTransaction
 */
export class ReleasingDriver extends PostgreSqlDriver {
  protected override readonly connection: ReleasingConnection;

  constructor(config: Configuration) {
    super(config);
    this.connection = new ReleasingConnection(config);
  }
}

class ReleasingConnection extends PostgreSqlConnection {
  override createKyselyDialect(
    overrides: Parameters<PostgreSqlConnection['createKyselyDialect']>[0],
  ): ReturnType<PostgreSqlConnection['createKyselyDialect']> {
    const dialect = super.createKyselyDialect(overrides);
    const createDriver = dialect.createDriver.bind(dialect);
    dialect.createDriver = () => releasing(createDriver());
    return dialect;
  }
}

function releasing(driver: Driver): Driver {
  const begin = driver.beginTransaction.bind(driver);
  const rollback = driver.rollbackTransaction.bind(driver);
  return Object.assign(driver, {
    async beginTransaction(...[connection, settings]: Parameters<Driver['beginTransaction']>) {
      try {
        await begin(connection, settings);
      } catch (err) {
        await driver.releaseConnection(connection);
        throw err;
      }
    },
    async rollbackTransaction(...[connection]: Parameters<Driver['rollbackTransaction']>) {
      try {
        await rollback(connection);
      } catch (err) {
        // PostgreSQL rolls back the transaction of a lost connection; the pool discards the connection
        if (!isDatabaseAway(err)) throw err;
      }
    },
  });
}

/** True for errors that mean the database is unavailable: worth a 503 and a retry. */
export function isDatabaseAway(err: unknown): boolean {
  // no `instanceof Error`: inside a vm context, as in jest, Node's own errors come from another realm
  if (typeof err !== 'object' || err === null) return false;
  const code = 'code' in err && typeof err.code === 'string' ? err.code : '';
  const message = 'message' in err && typeof err.message === 'string' ? err.message : '';
  return (
    /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|08\w{3}|57P0[123]|53300|25006|database_unavailable)$/.test(
      code,
    ) ||
    /Connection terminated|timeout exceeded when trying to connect|terminating connection|not queryable/.test(
      message,
    ) ||
    ('cause' in err && isDatabaseAway(err.cause)) ||
    ('errors' in err && Array.isArray(err.errors) && err.errors.some(isDatabaseAway))
  );
}
