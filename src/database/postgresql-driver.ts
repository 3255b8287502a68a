import type { Configuration, Transaction } from '@mikro-orm/core';
import { AbstractSqlDriver, PostgreSqlConnection, PostgreSqlPlatform } from '@mikro-orm/postgresql';
import { CompiledQuery, type PostgresDialect } from 'kysely';
import pg, { type Pool, type PoolConfig, type TypeOverrides } from 'pg';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { parseJson } from '../json.js';
import { bindsParameters } from './bound-connection.js';
import { assertNoValuePrinted, type BindingStyle } from './bound-statement.js';
import type { BulkConnection, BulkInsert, TenantLimit } from './engine.js';
import type { FixedStatement } from './plan.js';
import { clientClass, StatementNames } from './postgresql-client.js';
import { PostgreSqlPlans } from './postgresql-plans.js';
import { pooledClientClass } from './postgresql-pooled-client.js';
import type { BoundStatement } from './postgresql-query.js';
import {
  ENTER,
  SECURITY_SETTING,
  sessionContextOf,
  sessionOfTenant,
  toEnterError,
  TransactionSessions,
} from './postgresql-sessions.js';
import { POSTGRESQL_TERMS } from './postgresql-terms.js';
import type { PostgreSqlSettings } from './postgresql-url.js';
import { countIfSmall, TableGrowth } from './postgresql-statistics.js';
import { releasesConnections } from './releasing-driver.js';
import { CommitInterruptedError } from './server-errors.js';
import { tlsOptions } from './tls.js';

/** A row has one instant several times. */
let lastInstant = { time: 0, text: new Date(0).toISOString() };

function instantOf(date: Date): string {
  const time = date.getTime();
  if (time !== lastInstant.time) lastInstant = { time, text: date.toISOString() };
  return lastInstant.text;
}

const POSTGRESQL_STYLE: BindingStyle = {
  placeholder: (position) => `$${String(position)}`,
  toDriver(value) {
    if (value === undefined) return null;
    return value instanceof Date ? instantOf(value) : value;
  },
};

/** `pg` turns a value into its text form by it; it is no part of its types. */
const { prepareValue } = (pg as unknown as { readonly utils: { readonly prepareValue: (value: unknown) => unknown } })
  .utils;

function toText(value: unknown): unknown {
  if (typeof value === 'string') return value;
  return prepareValue(value instanceof Date ? instantOf(value) : value);
}

const INT8 = 20;
const NUMERIC = 1700;
const JSON_TYPES = [114, 3802];
/** Rows of one statement of a bulk insert: enough to make the round trip cheap, few enough to keep its message small. */
const BULK_ROWS = 2_000;
/**
 * What a connection begins with that keeps its statements prepared. The server plans such a statement once for all values, and anew only
 * when it has counted the rows: with a table as small as it was then, it reads the whole of it at each call, however large it has become
 * in the meantime. Nothing here reads a table without an index that leads to its rows; where none does, a table is read whole all the
 * same. Compiling a plan takes longer than any of the library's takes to run.
 */
const SESSION_OPTIONS = '-c timezone=UTC -c enable_seqscan=off -c jit=off';
const STATEMENT_LIMIT = "select set_config('statement_timeout', $1, true)";
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

  /** PostgreSQL writes an instant of this session as `2026-01-02 03:04:05.678+00`, without zeros at the end of the fraction. */
  override parseDate(value: string | number): Date {
    return typeof value === 'string' && isUtcInstant(value) ? parseUtcInstant(value) : super.parseDate(value);
  }

  override formatQuery(sql: string, parameters: readonly unknown[]): string {
    assertNoValuePrinted(sql, parameters);
    return super.formatQuery(sql, parameters);
  }
}

/** MikroORM's PostgreSQL connection with bound parameters and prepared statements. */
export class BoundPostgreSqlConnection
  extends bindsParameters(PostgreSqlConnection, POSTGRESQL_STYLE)
  implements BulkConnection
{
  readonly documentTerms = POSTGRESQL_TERMS;
  // As the foreign keys of what is written lock it anyway: whoever changes the tenant takes the lock that waits for it.
  readonly sharedLock = 'for key share';
  #writesInOneStatement = true;
  readonly plans = new PostgreSqlPlans({
    pool: () => this.requireNativeClient(this.#pool),
    prepare: (statement) => this.#prepare(statement),
    bind: toText,
    limitTo: (tenantId) => this.#limitTo(tenantId),
    convertError: (error, isOfLimit) => this.#convertError(isOfLimit ? toEnterError(error) : error),
    parserOf: (typeId) =>
      this.requireNativeClient(this.#types).getTypeParser(typeId) as unknown as (text: string) => unknown,
    traced: (sql, send) => (this.#isTraced ? this.executeQuery(sql, send, { query: sql }) : send()),
  });
  /** Undefined where row-level security is switched off. */
  #sessions: TransactionSessions | undefined;
  #pool: Pool | undefined;
  #types: TypeOverrides | undefined;
  /** Undefined where a pooler keeps no names. */
  #names: StatementNames | undefined;
  readonly #growth = new TableGrowth();
  readonly #prepared = new Map<FixedStatement, Omit<BoundStatement, 'values'>>();

  override createKyselyDialect(given: PoolConfig): PostgresDialect {
    // oxlint-disable-next-line typescript/no-misused-spread -- settings are a plain object
    const onPoolCreated = (pool: Pool): void => void (this.#pool = pool);
    const dialect = releasesConnections(super.createKyselyDialect({ ...given, onPoolCreated } as PoolConfig));
    if (this.#settings.rowLevelSecurity) this.#sessions = new TransactionSessions(dialect);
    return dialect;
  }

  get writesInOneStatement(): boolean {
    return this.#writesInOneStatement;
  }

  /** From now on each statement changes one table. */
  writesInSteps(): void {
    this.#writesInOneStatement = false;
  }

  get #settings(): PostgreSqlSettings {
    return this.config.get('driverOptions') as PostgreSqlSettings;
  }

  override mapOptions(given: PoolConfig): PoolConfig {
    const settings = given as unknown as PostgreSqlSettings;
    const types = super.mapOptions({}).types as TypeOverrides;
    types.setTypeParser(INT8, Number);
    for (const type of JSON_TYPES) types.setTypeParser(type, parseJson);
    // As it was written: without the zeros that fill the column's scale.
    types.setTypeParser(NUMERIC, (text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text));
    this.#types = types;
    this.#names = settings.namedStatements ? new StatementNames() : undefined;
    const { host, port, user, password, database, tls } = settings;
    const client = clientClass(
      this.#names,
      settings.statementTimeout === 0 ? undefined : settings.statementTimeout + settings.connectTimeout,
    );
    const security = settings.rowLevelSecurity ? '' : ` -c ${SECURITY_SETTING}=off`;
    // A pooler keeps neither names nor other settings of a session.
    const session = settings.namedStatements
      ? { statement_timeout: settings.statementTimeout, options: `${SESSION_OPTIONS}${security}`, Client: client }
      : { Client: pooledClientClass(client, settings.statementTimeout) };
    return {
      host,
      port,
      user,
      password,
      database,
      types,
      ssl: tlsOptions(host, tls),
      max: settings.poolSize,
      min: settings.poolIdle,
      connectionTimeoutMillis: settings.connectTimeout,
      idleTimeoutMillis: settings.idleTimeout,
      application_name: settings.applicationName,
      keepAlive: true,
      ...session,
    };
  }

  /** MikroORM would send two statements for a session at once; here the first statement that needs the session brings it along. */
  override async begin(options: Parameters<PostgreSqlConnection['begin']>[0] = {}) {
    const { sessionContext, ...rest } = options;
    const transaction = await super.begin(rest);
    if (!this.#sessions) return transaction;
    if (!options.ctx) return this.#sessions.open(transaction, sessionContext);
    TransactionSessions.nest(options.ctx, transaction);
    return transaction;
  }

  limit(em: SqlEntityManager, limit: TenantLimit): void {
    if (!this.#settings.rowLevelSecurity) return;
    const context = sessionContextOf(limit);
    const transaction = em.getTransactionContext();
    // MikroORM changes no session inside a transaction; this one's transactions can have several.
    em.resetTransactionContext();
    em.clearSessionContext();
    if (context) em.setSessionContext(context);
    if (transaction) em.setTransactionContext(TransactionSessions.share(transaction, context));
  }

  /** Whether anybody reads what is sent: a log of nothing takes as long as a part of a statement. */
  get #isTraced(): boolean {
    return this.logger.isEnabled('query') || this.config.get('slowQueryThreshold') !== undefined;
  }

  #convertError(error: Error): Error {
    // What our own client says is no error of the server's.
    if (error instanceof CommitInterruptedError) return error;
    return this.platform.getExceptionConverter().convertException(error);
  }

  #prepare(statement: FixedStatement): Omit<BoundStatement, 'values'> {
    let prepared = this.#prepared.get(statement);
    if (!prepared) {
      let position = 0;
      const text = statement.sql.replaceAll('?', () => POSTGRESQL_STYLE.placeholder((position += 1)));
      this.#prepared.set(statement, (prepared = { name: this.#names?.ofFixed(text), text }));
    }
    return prepared;
  }

  /** What a pooler's connection may have of others is set anew, too. */
  #limitTo(tenantId: string): BoundStatement | undefined {
    const session = this.#sessions ? sessionOfTenant(tenantId) : [];
    const { statementTimeout } = this.#settings;
    if (this.#names) return this.#sessions && { name: this.#names.ofFixed(ENTER), text: ENTER, values: session };
    const text = this.#sessions ? `${ENTER}, set_config('statement_timeout', $4, true)` : STATEMENT_LIMIT;
    return { name: undefined, text, values: [...session, String(statementTimeout)] };
  }

  /** Inserts rows by a statement that takes a list for each column, so that any number of rows needs no other statement. */
  async insertMany(
    { table, columns, columnTypes }: BulkInsert,
    rows: Iterable<readonly unknown[]>,
    transaction?: Transaction,
  ): Promise<void> {
    if (!transaction) throw new Error('insertMany needs a running transaction');
    // A cast to a limited type would cut the value; the column refuses it.
    const types = columnTypes.map((type) => type.replace(/\(.*\)/, ''));
    const prepare = (batch: readonly (readonly unknown[])[]): CompiledQuery => {
      const lists = types.map((_type, index) => batch.map((row) => POSTGRESQL_STYLE.toDriver(row[index])));
      // What is the same in all rows, as the tenant is, needs no list; one there must be, to tell how many rows there are.
      const isSame = lists.map((list, index) => index > 0 && list.every((value) => value === list[0]));
      const mark = (index: number): string => `$${String(index + 1)}::${types[index] ?? ''}`;
      const selected = types.map((_type, index) => (isSame[index] ? mark(index) : `c${String(index)}`));
      const listed = types.flatMap((_type, index) => (isSame[index] ? [] : [index]));
      const given = `unnest(${listed.map((index) => `${mark(index)}[]`).join(', ')}) as given (${listed.map((index) => `c${String(index)}`).join(', ')})`;
      const text = `insert into ${table} (${columns}) select ${selected.join(', ')} from ${given}`;
      return CompiledQuery.raw(
        text,
        lists.map((list, index) => (isSame[index] ? list[0] : prepareValue(list))),
      );
    };
    const send = async (query: CompiledQuery): Promise<void> => {
      const run = () => transaction.executeQuery(query);
      await this.executeQuery(query.sql, run, { query: query.sql }).catch((error: Error) => {
        throw this.#convertError(error);
      });
    };
    // The next rows are made ready while the server stores those before.
    let sent = Promise.resolve();
    let isGrown = false;
    try {
      for (const batch of batchesOf(rows, BULK_ROWS)) {
        const query = prepare(batch);
        await sent;
        sent = send(query);
        isGrown = this.#growth.add(table, batch.length) || isGrown;
      }
      await sent;
      // A distributed database plans on its other nodes.
      if (isGrown && this.#writesInOneStatement) sent = send(countIfSmall(table));
    } finally {
      // Whatever else has failed, nobody may use the connection before.
      await sent;
    }
  }

  async migrateAlone<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.transactional(async (transaction) => {
      // Neither waiting for another process nor changing a large table has a limit that is known before.
      await transaction.executeQuery(CompiledQuery.raw('set local statement_timeout = 0'));
      await transaction.executeQuery(CompiledQuery.raw('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]));
      // A migration that changes rows changes every tenant's. Without row-level security it may do without the roles, too.
      const settings = `select set_config('${SECURITY_SETTING}', 'off', true), set_config('colloquy.roles', $1, true)`;
      const roles = this.#settings.rowLevelSecurity ? 'required' : 'optional';
      await transaction.executeQuery(CompiledQuery.raw(settings, [roles]));
      return work(transaction);
    });
  }
}

function* batchesOf<Item>(items: Iterable<Item>, size: number): Generator<readonly Item[]> {
  let batch: Item[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const UTC_INSTANT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,3})?\+00$/;

function isUtcInstant(text: string): boolean {
  return UTC_INSTANT.test(text);
}

/** V8 has a fast way for the form of ISO 8601, and a slow one for the rest. */
function parseUtcInstant(text: string): Date {
  return new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`);
}

/** MikroORM's PostgreSQL driver over {@link BoundPostgreSqlConnection}. */
export class BoundPostgreSqlDriver extends AbstractSqlDriver<BoundPostgreSqlConnection> {
  constructor(config: Configuration) {
    super(config, new BoundPostgreSqlPlatform(), BoundPostgreSqlConnection, ['kysely', 'pg']);
  }
}
