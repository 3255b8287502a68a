import type { DatabaseConnection, Dialect, Driver, TransactionSettings } from 'kysely';

/** Kysely's driver keeps a connection for ever when its BEGIN or its ROLLBACK fails, and a pool so loses one for each outage. */
class ReleasingDriver implements Driver {
  readonly #driver: Driver;
  readonly init: Driver['init'];
  readonly acquireConnection: Driver['acquireConnection'];
  readonly commitTransaction: Driver['commitTransaction'];
  readonly savepoint: NonNullable<Driver['savepoint']>;
  readonly rollbackToSavepoint: NonNullable<Driver['rollbackToSavepoint']>;
  readonly releaseSavepoint: NonNullable<Driver['releaseSavepoint']>;
  readonly releaseConnection: Driver['releaseConnection'];
  readonly destroy: Driver['destroy'];

  constructor(driver: Driver) {
    this.#driver = driver;
    this.init = (options) => driver.init(options);
    this.acquireConnection = (options) => driver.acquireConnection(options);
    this.commitTransaction = (connection) => driver.commitTransaction(connection);
    this.savepoint = async (...parameters) => driver.savepoint?.(...parameters);
    this.rollbackToSavepoint = async (...parameters) => driver.rollbackToSavepoint?.(...parameters);
    this.releaseSavepoint = async (...parameters) => driver.releaseSavepoint?.(...parameters);
    this.releaseConnection = (connection) => driver.releaseConnection(connection);
    this.destroy = () => driver.destroy();
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    try {
      await this.#driver.beginTransaction(connection, settings);
    } catch (error) {
      await this.#driver.releaseConnection(connection);
      throw error;
    }
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // What could not be rolled back is a connection that is gone, and its transaction with it; the first error is the one that counts.
    await this.#driver.rollbackTransaction(connection).catch(() => undefined);
  }
}

/** Makes a dialect's pool get back every connection, also one whose transaction could not begin or end. */
export function releasesConnections<D extends Dialect>(dialect: D): D {
  const create = dialect.createDriver.bind(dialect);
  dialect.createDriver = () => new ReleasingDriver(create());
  return dialect;
}
