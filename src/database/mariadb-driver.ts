import type { Configuration, DriverException, EntityName, FilterQuery, Transaction } from '@mikro-orm/core';
import { MariaDbDriver, MySqlConnection } from '@mikro-orm/mariadb';
import { CompiledQuery, type ControlledTransaction, MysqlDialect } from 'kysely';
import { createConnection, type Pool } from 'mysql2';
import { bindsParameters } from './bound-connection.js';
import { ConnectionPlans } from './connection-plans.js';
import type { BindingStyle } from './bound-statement.js';
import type { BulkConnection, BulkInsert } from './engine.js';
import { TextualMariaDbPlatform } from './mariadb-platform.js';
import { SessionPool, sessionStatements } from './mariadb-pool.js';
import { StatementTooLargeError, TransactionFailedError } from './mariadb-session.js';
import { MARIADB_TERMS } from './mariadb-terms.js';
import { releasesConnections } from './releasing-driver.js';
import type { ServerSettings } from './server-url.js';

const MARIADB_STYLE: BindingStyle = {
  placeholder: () => '?',
  toDriver(value) {
    if (value === undefined) return null;
    return value instanceof Date ? value.toISOString().replace('T', ' ').replace('Z', '') : value;
  },
};

/** Rows of one statement of a bulk insert. Each number is one text, and so one prepared statement. */
const BULK_ROWS = [128, 16, 1] as const;
/** Characters of the rows that wait to be inserted: a fraction of what the server takes in one packet. */
const BULK_CHARACTERS = 262_144;
/** Locks are the server's, not a database's. A year is the longest wait. */
const LOCK = `select get_lock(concat('colloquy-', md5(database())), 31536000) as locked`;
const UNLOCK = `select release_lock(concat('colloquy-', md5(database()))) as unlocked`;
const NO_SUCH_SAVEPOINT = 1305;

/** MikroORM's connection to MariaDB or MySQL with bound parameters and prepared statements. */
export class BoundMariaDbConnection extends bindsParameters(MySqlConnection, MARIADB_STYLE) implements BulkConnection {
  readonly documentTerms = MARIADB_TERMS;
  readonly sharedLock = 'lock in share mode';
  readonly keepsHalfMigrations = true;
  readonly writesInOneStatement = false;
  readonly plans = new ConnectionPlans(this, (error) => this.config.getDriver().convertException(error));
  #pool: SessionPool | undefined;

  override async createKyselyDialect(given: object): Promise<MysqlDialect> {
    this.#pool = new SessionPool(given as ServerSettings);
    // Kysely cancels a statement over a connection of its own.
    return releasesConnections(new MysqlDialect({ pool: this.#pool, controlConnection: createConnection }));
  }

  override async getNativeClient(): Promise<Pool> {
    await this.ensureConnection();
    return this.requireNativeClient(this.#pool).native;
  }

  override async rollback(...parameters: Parameters<MySqlConnection['rollback']>): Promise<void> {
    // A change of the schema has committed, and has ended every savepoint.
    await super.rollback(...parameters).catch((error: { errno?: number }) => {
      if (error.errno !== NO_SUCH_SAVEPOINT) throw error;
    });
  }

  /** Inserts rows by statements of many rows each. */
  async insertMany(
    { statement }: BulkInsert,
    rows: Iterable<readonly unknown[]>,
    transaction?: Transaction,
  ): Promise<void> {
    if (!transaction) throw new Error('insertMany needs a running transaction');
    const [, tuple = ''] = statement.split(' values ');
    const insert = async (batch: readonly (readonly unknown[])[]): Promise<void> => {
      const text = `${statement}${`, ${tuple}`.repeat(batch.length - 1)}`;
      const values = batch.flat().map(MARIADB_STYLE.toDriver);
      const run = () => transaction.executeQuery(CompiledQuery.raw(text, values));
      await this.executeQuery(text, run, { query: text }).catch((error: Error) => {
        throw this.config.getDriver().convertException(error);
      });
    };
    let waiting: (readonly unknown[])[] = [];
    let characters = 0;
    const insertWaiting = async (): Promise<void> => {
      for (const size of BULK_ROWS) while (waiting.length >= size) await insert(waiting.splice(0, size));
      characters = 0;
    };
    for (const row of rows) {
      waiting.push(row);
      for (const value of row) if (typeof value === 'string') characters += value.length;
      if (waiting.length === BULK_ROWS[0] || characters >= BULK_CHARACTERS) await insertWaiting();
    }
    await insertWaiting();
  }

  /**
   * The lock is the connection's, not the transaction's: each change of the schema commits by itself. It goes with the connection when
   * the process dies.
   */
  async migrateAlone<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    await this.ensureConnection();
    const { statementTimeout } = this.requireNativeClient(this.#pool).settings;
    return this.getClient()
      .connection()
      .execute(async (connection) => {
        const send = (text: string) => connection.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text));
        // Neither waiting for another process nor changing a large table has a limit that is known before.
        for (const statement of sessionStatements(0)) await send(statement);
        try {
          const { rows } = await send(LOCK);
          if (rows[0]?.['locked'] !== 1) throw new Error('The lock of the migrations could not be had');
          try {
            return await inTransaction(await connection.startTransaction().execute(), work);
          } finally {
            // A connection that is lost has given its lock back.
            await send(UNLOCK).catch(() => undefined);
          }
        } finally {
          for (const statement of sessionStatements(statementTimeout)) await send(statement).catch(() => undefined);
        }
      });
  }
}

async function inTransaction<T>(
  transaction: ControlledTransaction<unknown>,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  try {
    const result = await work(transaction as Transaction);
    await transaction.commit().execute();
    return result;
  } catch (error) {
    await transaction.rollback().execute();
    throw error;
  }
}

/** MikroORM's MariaDB driver over {@link BoundMariaDbConnection}; MySQL understands all that it sends. */
export class BoundMariaDbDriver extends MariaDbDriver {
  override readonly platform: TextualMariaDbPlatform;

  constructor(config: Configuration) {
    super(config);
    this.platform = new TextualMariaDbPlatform();
    Object.assign(this, {
      connection: new BoundMariaDbConnection(config),
      replicas: this.createReplicas((settings) => new BoundMariaDbConnection(config, settings, 'read')),
    });
  }

  /** MySQL has no partial indexes, and needs none to let many rows have no value: a unique key does not count nulls as equal. */
  override renderPartialIndexWhere<T extends object>(entity: EntityName<T>, where: string | FilterQuery<T>): string {
    const predicate = super.renderPartialIndexWhere(entity, where);
    return /^\w+ is not null$/.test(predicate) ? '' : predicate;
  }

  override convertException(error: Error): DriverException {
    // What our own session says is no error of the server's.
    if (error instanceof TransactionFailedError || error instanceof StatementTooLargeError) return error;
    return super.convertException(error);
  }
}
