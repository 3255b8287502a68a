import { setTimeout as delay } from 'node:timers/promises';
import type { Configuration, Dictionary, Transaction } from '@mikro-orm/core';
import { AbstractSqlDriver, BaseSqliteConnection } from '@mikro-orm/sqlite';
import Database from 'better-sqlite3';
import {
  CompiledQuery,
  SqliteDialect,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import type { BulkConnection, BulkInsert } from './engine.js';
import { BoundSqlitePlatform } from './sqlite-schema-helper.js';
import { SQLITE_TERMS } from './sqlite-terms.js';
import { bindQuery, type BindingStyle, type BoundStatement } from './bound-statement.js';
import { SqlitePlans } from './sqlite-plans.js';
import { noteStatement } from './statement-listener.js';

/** What the SQLite engine asks of its connection; see `sqlite.ts` for the meaning. */
export interface SqliteSettings {
  readonly path: string;
  readonly busyTimeout: number;
  readonly durable: boolean;
}

/** With 64 rows a statement an import takes a twentieth less time than with 16; with 100 it takes no less. */
const ROWS_AT_ONCE = 64;
/** For those that are left. */
const FEWER_AT_ONCE = [8, 1];

const SQLITE_STYLE: BindingStyle = {
  placeholder: () => '?',
  toDriver(value) {
    if (value === undefined) return null;
    if (typeof value === 'boolean') return value ? 1 : 0;
    return value instanceof Date ? value.getTime() : value;
  },
};

/** Most values are what the driver takes. */
function bound(value: unknown): unknown {
  return typeof value === 'string' || typeof value === 'number' || value === null
    ? value
    : SQLITE_STYLE.toDriver(value);
}

/** Prepared statements of one connection, the least recently used one dropped first. */
class StatementCache {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  static readonly #capacity = 256;

  constructor(database: Database.Database) {
    this.#database = database;
  }

  prepare(text: string): Database.Statement {
    let statement = this.#statements.get(text);
    if (statement) this.#statements.delete(text);
    else statement = this.#database.prepare(text);
    this.#statements.set(text, statement);
    if (this.#statements.size > StatementCache.#capacity) {
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    return statement;
  }
}

/** The waits of SQLite's own busy handler, in milliseconds; the last one is repeated. */
const WAITS = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100];

/**
 * Runs what takes a lock of the file. Where another connection holds it, it is tried again until `timeout` milliseconds were waited:
 * SQLite's own busy handler would stop the whole process meanwhile, and wait in vain for a holder in this process.
 */
async function whenFree<T>(timeout: number, work: () => T): Promise<T> {
  let waited = 0;
  for (let attempt = 0; ; attempt++) {
    try {
      return work();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'SQLITE_BUSY' || waited >= timeout) throw error;
    }
    const wait = Math.min(WAITS[attempt] ?? WAITS.at(-1) ?? 1, timeout - waited);
    waited += wait;
    await delay(wait);
  }
}

/**
 * The only connection to the database, as Kysely sees it. Kysely hands it to one transaction or statement at a time, so units of
 * work never interleave. A writing transaction begins IMMEDIATE: it waits for another process's lock at its beginning, within the
 * busy timeout, where a deferred one would fail at its first write without waiting.
 *
 * A transaction begins with its first statement, because Kysely never gives back a connection whose `begin` failed: one lock that
 * another process held too long would stop this process for good.
 */
class SqliteKyselyDriver implements Driver {
  readonly #database: Database.Database;
  readonly #busyTimeout: number;
  readonly #connection: DatabaseConnection;
  #announced: 'begin' | 'begin immediate' | undefined;
  #beginning: Promise<void> | undefined;
  /** Known here, since asking the database takes as long as the rest of a small read's way. */
  #hasBegun = false;
  #streams = 0;

  constructor(database: Database.Database, statements: StatementCache, busyTimeout: number) {
    this.#database = database;
    this.#busyTimeout = busyTimeout;
    const begin = (): Promise<void> | undefined => this.begin();
    const stream = <R>(sql: string, parameters: readonly unknown[]) => this.#stream<R>(sql, parameters);
    this.#connection = {
      async executeQuery<R>({ sql, parameters }: CompiledQuery) {
        await begin();
        const execute = () => run<R>(statements.prepare(sql), parameters);
        // Within a transaction it has the lock already.
        return database.inTransaction ? execute() : whenFree(busyTimeout, execute);
      },
      async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
        await begin();
        yield* stream<R>(sql, parameters);
      },
    };
  }

  /** Whether nobody has a transaction or a stream open. */
  get isFree(): boolean {
    return !this.#hasBegun && this.#streams === 0;
  }

  *#stream<R>(sql: string, parameters: readonly unknown[]): Generator<QueryResult<R>> {
    this.#streams += 1;
    try {
      // Not from the cache: an iterated statement stays busy until its last row was read.
      for (const row of this.#database.prepare(sql).iterate(...parameters)) yield { rows: [row as R] };
    } finally {
      this.#streams -= 1;
    }
  }

  /** Begins the transaction that was announced, if it has not begun. */
  begin(): Promise<void> | undefined {
    const statement = this.#announced;
    if (statement === undefined) return undefined;
    return (this.#beginning ??= whenFree(this.#busyTimeout, () => {
      this.#database.exec(statement);
      this.#hasBegun = true;
      this.#announced = undefined;
    }).finally(() => (this.#beginning = undefined)));
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async beginTransaction(_connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    this.#announced = settings.accessMode === 'read only' ? 'begin' : 'begin immediate';
  }

  async commitTransaction(): Promise<void> {
    if (this.#announced === undefined) this.#database.exec('commit');
    this.#hasBegun = false;
    this.#announced = undefined;
  }

  async rollbackTransaction(): Promise<void> {
    this.#announced = undefined;
    // SQLite rolls back by itself when the disk is full or an I/O operation fails.
    if (this.#database.inTransaction) this.#database.exec('rollback');
    this.#hasBegun = false;
  }

  async savepoint(_connection: DatabaseConnection, name: string): Promise<void> {
    await this.begin();
    this.#database.exec(`savepoint "${name}"`);
  }

  async rollbackToSavepoint(_connection: DatabaseConnection, name: string): Promise<void> {
    this.#database.exec(`rollback to "${name}"`);
  }

  async releaseSavepoint(_connection: DatabaseConnection, name: string): Promise<void> {
    this.#database.exec(`release "${name}"`);
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#database.close();
  }
}

function run<R>(statement: Database.Statement, parameters: readonly unknown[]): QueryResult<R> {
  if (statement.reader) return { rows: statement.all(...parameters) as R[] };
  const { changes, lastInsertRowid } = statement.run(...parameters);
  return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
}

class SqliteBoundDialect extends SqliteDialect {
  readonly driver: SqliteKyselyDriver;

  constructor(database: Database.Database, statements: StatementCache, busyTimeout: number) {
    super({ database });
    this.driver = new SqliteKyselyDriver(database, statements, busyTimeout);
  }

  override createDriver(): Driver {
    return this.driver;
  }
}

/** SQLite's own 2 MB are less than the inner pages of a large database. */
const CACHE_KIB = 16_384;
/** 16 MB: SQLite's own 4 MB are full after a few hundred appends, whose pages would each be written to the database that often. */
const CHECKPOINT_PAGES = 4_000;

/** How long to wait before a journal is asked for again, in milliseconds. */
const WAL_PAUSE = 10;

/**
 * Sets the journal mode that stays with the file. One that is set already takes no lock, for another process may be writing. Where several
 * open a new file at once, SQLite refuses all but one without waiting, since each would wait for the others.
 */
function useWal(database: Database.Database, busyTimeout: number): void {
  for (let waited = 0; database.pragma('journal_mode', { simple: true }) !== 'wal'; waited += WAL_PAUSE) {
    try {
      database.pragma('journal_mode = wal');
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'SQLITE_BUSY' || waited >= busyTimeout) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAL_PAUSE);
    }
  }
}

/** MikroORM's SQLite connection with bound parameters, cached statements, and the journal and durability set at its beginning. */
export class BoundSqliteConnection extends BaseSqliteConnection implements BulkConnection {
  readonly documentTerms = SQLITE_TERMS;
  readonly sharedLock = '';
  readonly writesInOneStatement = false;
  #database: Database.Database | undefined;
  #statements: StatementCache | undefined;
  #dialect: SqliteBoundDialect | undefined;
  #plans: SqlitePlans | undefined;
  #dataVersion: Database.Statement<[], number> | undefined;

  override createKyselyDialect(options: Dictionary): SqliteDialect {
    const { path, busyTimeout, durable } = options as SqliteSettings;
    const database = new Database(path, { timeout: busyTimeout });
    try {
      if (path !== ':memory:') useWal(database, busyTimeout);
      database.pragma(`synchronous = ${durable ? 'full' : 'normal'}`);
      database.pragma('foreign_keys = on');
      database.pragma(`cache_size = -${String(CACHE_KIB)}`);
      database.pragma(`wal_autocheckpoint = ${String(CHECKPOINT_PAGES)}`);
      // From here on it is this driver that waits.
      database.pragma('busy_timeout = 0');
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
    this.#statements = new StatementCache(database);
    const dialect = new SqliteBoundDialect(database, this.#statements, busyTimeout);
    this.#dialect = dialect;
    this.#plans = new SqlitePlans({
      database,
      isFree: () => dialect.driver.isFree,
      alone: (work) =>
        this.getClient()
          .connection()
          .execute(() => whenFree(busyTimeout, work)),
      bind: SQLITE_STYLE.toDriver,
      trace: (sql) => this.#trace(sql),
      convertError: (error) => this.platform.getExceptionConverter().convertException(error),
    });
    return dialect;
  }

  /** See https://www.sqlite.org/pragma.html#pragma_data_version. A transaction that is open sees no commits of others. */
  readonly databaseVersion = (): number | undefined => {
    if (!this.#dialect?.driver.isFree) return undefined;
    this.#dataVersion ??= this.requireNativeClient(this.#database).prepare<[], number>('pragma data_version').pluck();
    return this.#dataVersion.get();
  };

  get plans(): SqlitePlans {
    return this.requireNativeClient(this.#plans);
  }

  /** A statement of a plan takes microseconds, as does the log where nobody reads it. */
  #trace(sql: string): void {
    if (this.logger.isEnabled('query')) this.logQuery(sql, { query: sql });
  }

  override async getNativeClient(): Promise<Database.Database> {
    await this.ensureConnection();
    return this.requireNativeClient(this.#database);
  }

  override async executeDump(dump: string): Promise<void> {
    (await this.getNativeClient()).exec(dump);
  }

  override async execute<T>(
    query: Parameters<BaseSqliteConnection['execute']>[0],
    parameters: readonly unknown[] | Dictionary = [],
    method: 'all' | 'get' | 'run' = 'all',
    transaction?: Transaction,
    loggerContext?: Parameters<BaseSqliteConnection['execute']>[4],
  ): Promise<T> {
    await this.ensureConnection();
    (loggerContext as { signal?: AbortSignal } | undefined)?.signal?.throwIfAborted();
    const { text, values } = this.#bind(query, parameters);
    noteStatement(this.config, text);
    return this.executeQuery(
      text,
      async () => {
        const executor = transaction ?? this.getClient();
        return this.transformRawResult<T>(await executor.executeQuery(CompiledQuery.raw(text, [...values])), method);
      },
      { ...loggerContext, query: text },
    );
  }

  override async *stream<T extends object>(
    query: Parameters<BaseSqliteConnection['stream']>[0],
    parameters: readonly unknown[] | Dictionary = [],
    transaction?: Parameters<BaseSqliteConnection['stream']>[2],
    loggerContext?: Parameters<BaseSqliteConnection['stream']>[3],
    chunkSize = 100,
  ): AsyncIterableIterator<T> {
    await this.ensureConnection();
    const { text, values } = this.#bind(query, parameters);
    // Kysely refuses to stream what it does not take for a select.
    const compiled = {
      ...CompiledQuery.raw(text, [...values]),
      query: { kind: 'SelectQueryNode' },
    } as CompiledQuery<T>;
    this.logQuery(text, { ...loggerContext, query: text });
    for await (const { rows } of (transaction ?? this.getClient()).getExecutor().stream(compiled, chunkSize)) {
      yield* this.transformRawResult<T[]>({ rows }, 'all');
    }
  }

  /**
   * Inserts many rows by one statement for each {@link ROWS_AT_ONCE} of them. The caller has a transaction open on this, the only
   * connection, so no other statement can come between and the native client may be used directly.
   */
  async insertMany(insert: BulkInsert, rows: Iterable<readonly unknown[]>): Promise<void> {
    const database = this.requireNativeClient(this.#database);
    const statements = this.requireNativeClient(this.#statements);
    await this.#dialect?.driver.begin();
    if (!database.inTransaction) throw new Error('insertMany needs a running transaction');
    const { length } = insert.columnTypes;
    const [, tuple = ''] = insert.statement.split(' values ');
    const inserting = (size: number) => statements.prepare(`${insert.statement}${`, ${tuple}`.repeat(size - 1)}`);
    const many = inserting(ROWS_AT_ONCE);
    const waiting: unknown[] = Array.from({ length: ROWS_AT_ONCE * length }, () => null);
    let count = 0;
    for (const row of rows) {
      for (let index = 0; index < length; index += 1) waiting[count + index] = bound(row[index]);
      count += length;
      if (count < waiting.length) continue;
      many.run(waiting);
      count = 0;
    }
    let first = 0;
    for (const values of FEWER_AT_ONCE.map((size) => size * length)) {
      for (; first + values <= count; first += values) {
        inserting(values / length).run(waiting.slice(first, first + values));
      }
    }
    this.logQuery(insert.statement, { query: insert.statement });
  }

  #bind(
    query: Parameters<BaseSqliteConnection['execute']>[0],
    parameters: readonly unknown[] | Dictionary,
  ): BoundStatement {
    return bindQuery(this.platform, SQLITE_STYLE, this.config, query, parameters);
  }
}

/** MikroORM's SQLite driver over {@link BoundSqliteConnection}. */
export class BoundSqliteDriver extends AbstractSqlDriver<BoundSqliteConnection> {
  constructor(config: Configuration) {
    super(config, new BoundSqlitePlatform(), BoundSqliteConnection, ['kysely', 'better-sqlite3']);
  }
}
