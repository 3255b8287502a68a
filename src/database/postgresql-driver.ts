import type { Configuration, Dictionary, Transaction } from '@mikro-orm/core';
import { AbstractSqlDriver, PostgreSqlConnection, PostgreSqlPlatform } from '@mikro-orm/postgresql';
import {
  CompiledQuery,
  type PostgresDialect,
  type DatabaseConnection,
  type Driver,
  type TransactionSettings,
} from 'kysely';
import type { PoolConfig, TypeOverrides } from 'pg';
import { bindQuery, type BindingStyle, type BoundStatement } from './bound-statement.js';
import type { BulkConnection, BulkInsert } from './engine.js';
import { clientClass, StatementNames } from './postgresql-client.js';
import type { PostgreSqlSettings } from './postgresql-url.js';

const POSTGRESQL_STYLE: BindingStyle = {
  placeholder: (position) => `$${String(position)}`,
  toDriver(value) {
    if (value === undefined) return null;
    return value instanceof Date ? value.toISOString() : value;
  },
};

const INT8 = 20;
const NUMERIC = 1700;
/** Rows of one statement of a bulk insert: enough to make the round trip cheap, few enough to keep its message small. */
const BULK_ROWS = 500;
/** Any number will do, if every process of every version takes the same one. */
const MIGRATION_LOCK = 7_265_566_100;

/**
 * Integers are as wide as JavaScript's, as they are in SQLite, and a JSON value keeps its text: `jsonb` would sort its keys, and an
 * export would not give back what came in.
 */
class BoundPostgreSqlPlatform extends PostgreSqlPlatform {
  override getIntegerTypeDeclarationSQL(): string {
    return 'bigint';
  }

  override getJsonDeclarationSQL(): string {
    return 'json';
  }
}

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

/** MikroORM's PostgreSQL connection with bound parameters and prepared statements. */
export class BoundPostgreSqlConnection extends PostgreSqlConnection implements BulkConnection {
  override createKyselyDialect(settings: PoolConfig): PostgresDialect {
    const dialect = super.createKyselyDialect(settings);
    const create = dialect.createDriver.bind(dialect);
    dialect.createDriver = () => new ReleasingDriver(create());
    return dialect;
  }

  override mapOptions(given: PoolConfig): PoolConfig {
    const settings = given as unknown as PostgreSqlSettings;
    const types = super.mapOptions({}).types as TypeOverrides;
    types.setTypeParser(INT8, Number);
    // As it was written: without the zeros that fill the column's scale.
    types.setTypeParser(NUMERIC, (text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text));
    const { host, port, user, password, database, sslmode } = settings;
    return {
      host,
      port,
      user,
      password,
      database,
      types,
      ssl: sslmode === 'disable' ? false : { rejectUnauthorized: sslmode === 'verify-full' },
      max: settings.poolSize,
      min: settings.poolIdle,
      connectionTimeoutMillis: settings.connectTimeout,
      idleTimeoutMillis: settings.idleTimeout,
      statement_timeout: settings.statementTimeout,
      application_name: settings.applicationName,
      options: '-c timezone=UTC',
      keepAlive: true,
      Client: clientClass(settings.namedStatements ? new StatementNames() : undefined),
    };
  }

  override async execute<T>(
    query: Parameters<PostgreSqlConnection['execute']>[0],
    parameters: readonly unknown[] | Dictionary = [],
    method: 'all' | 'get' | 'run' = 'all',
    transaction?: Transaction,
    loggerContext?: Parameters<PostgreSqlConnection['execute']>[4],
  ): Promise<T> {
    await this.ensureConnection();
    const { abort, context } = splitAbort(loggerContext);
    const { text, values } = this.#bind(query, parameters);
    return this.executeQuery(
      text,
      async () => {
        const compiled = CompiledQuery.raw(text, [...values]);
        const executor = transaction ?? this.getClient();
        return this.transformRawResult<T>(await executor.executeQuery(compiled, abort), method);
      },
      { ...context, query: text },
    );
  }

  override async *stream<T extends object>(
    query: Parameters<PostgreSqlConnection['stream']>[0],
    parameters: readonly unknown[] | Dictionary = [],
    transaction?: Parameters<PostgreSqlConnection['stream']>[2],
    loggerContext?: Parameters<PostgreSqlConnection['stream']>[3],
    chunkSize = 100,
  ): AsyncIterableIterator<T> {
    await this.ensureConnection();
    const { abort, context } = splitAbort(loggerContext);
    const { text, values } = this.#bind(query, parameters);
    const compiled = CompiledQuery.raw(text, [...values]) as CompiledQuery<T>;
    this.logQuery(text, { ...context, query: text });
    const executor = (transaction ?? this.getClient()).getExecutor();
    for await (const { rows } of executor.stream(compiled, chunkSize, abort)) {
      yield* this.transformRawResult<T[]>({ rows }, 'all');
    }
  }

  /** Inserts rows by a statement that takes one array for each column, so that any number of rows needs no other statement. */
  async insertMany(
    { table, columns, columnTypes }: BulkInsert,
    rows: Iterable<readonly unknown[]>,
    transaction?: Transaction,
  ): Promise<void> {
    if (!transaction) throw new Error('insertMany needs a running transaction');
    // A cast to a limited type would cut the value; the column refuses it.
    const arrays = columnTypes.map((type, index) => `$${String(index + 1)}::${type.replace(/\(.*\)/, '')}[]`);
    const text = `insert into ${table} (${columns}) select * from unnest(${arrays.join(', ')})`;
    const insert = async (batch: readonly (readonly unknown[])[]): Promise<void> => {
      const values = columnTypes.map((_type, index) => batch.map((row) => POSTGRESQL_STYLE.toDriver(row[index])));
      const run = () => transaction.executeQuery(CompiledQuery.raw(text, values));
      await this.executeQuery(text, run, { query: text }).catch((error: Error) => {
        throw this.platform.getExceptionConverter().convertException(error);
      });
    };
    let batch: (readonly unknown[])[] = [];
    for (const row of rows) {
      batch.push(row);
      if (batch.length < BULK_ROWS) continue;
      await insert(batch);
      batch = [];
    }
    if (batch.length > 0) await insert(batch);
  }

  async lockMigrations(transaction: Transaction): Promise<void> {
    // Neither waiting for another process nor changing a large table has a limit that is known before.
    await transaction.executeQuery(CompiledQuery.raw('set local statement_timeout = 0'));
    await transaction.executeQuery(CompiledQuery.raw('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]));
  }

  #bind(
    query: Parameters<PostgreSqlConnection['execute']>[0],
    parameters: readonly unknown[] | Dictionary,
  ): BoundStatement {
    return bindQuery(this.platform, POSTGRESQL_STYLE, this.config, query, parameters);
  }
}

interface Abort {
  readonly signal?: AbortSignal;
  readonly inflightQueryAbortStrategy?: 'ignore query' | 'cancel query' | 'kill session';
}

/** MikroORM hands a call's abort signal over in the context of its log line. */
function splitAbort(loggerContext: object | undefined): { readonly abort?: Abort; readonly context: object } {
  const { signal, inflightQueryAbortStrategy, ...context } = (loggerContext ?? {}) as Abort;
  if (!signal) return { context };
  return { abort: { signal, ...(inflightQueryAbortStrategy && { inflightQueryAbortStrategy }) }, context };
}

/** MikroORM's PostgreSQL driver over {@link BoundPostgreSqlConnection}. */
export class BoundPostgreSqlDriver extends AbstractSqlDriver<BoundPostgreSqlConnection> {
  constructor(config: Configuration) {
    super(config, new BoundPostgreSqlPlatform(), BoundPostgreSqlConnection, ['kysely', 'pg']);
  }
}
