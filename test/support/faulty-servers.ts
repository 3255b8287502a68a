import { directUrl } from './engines.js';
import { readMySql, readPostgreSql, type StatementReader } from './fault-proxy.js';
import { NO_OWN_MARIADB, startOwnMariaDb } from './own-mariadb.js';
import { NO_OWN_SERVER, type OwnServer, startOwnServer } from './own-server.js';
import { rawRows } from './raw-rows.js';
import type { EngineName } from './servers.js';

/** What differs between the servers where a test breaks something. */
export interface FaultyServer {
  /** Ends up to `most` of the callers' connections to a database, drawn by `salt`, and returns how many. */
  readonly endConnections: (databaseUrl: string, most: number, salt: number) => Promise<number>;
  readonly readStatements: () => StatementReader;
  /** Whether a statement ends a transaction, so that its reply tells what became of it. */
  readonly commits: (statement: string) => boolean;
  /** A statement that takes so many seconds. */
  readonly sleep: (seconds: number) => string;
  /** Selects a row for each connection to the database that sleeps. */
  readonly sleepers: string;
  /** Lets the statements of a transaction take as long as they like. */
  readonly noLimit: string;
  /** Starts one of the test's own, which keeps what it has committed and has shown, also when it or the machine crashes. */
  readonly start: () => Promise<OwnServer>;
  /** Why none can be started here. */
  readonly noStart: string | undefined;
}

const POSTGRESQL: FaultyServer = {
  async endConnections(databaseUrl, most, salt) {
    const sql = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'colloquy' order by md5(pid::text || $2) limit $1`;
    return (await rawRows(databaseUrl, sql, [most, String(salt)])).length;
  },
  readStatements: readPostgreSql,
  // An append that stands for itself is one statement, which commits with its end.
  commits: (statement) =>
    /^commit$|^with conversation as .*\binsert into "messages" .*\breturning seq$/is.test(statement),
  sleep: (seconds) => `select pg_sleep(${String(seconds)})`,
  sleepers: `select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`,
  noLimit: 'set local statement_timeout = 0',
  start: () => startOwnServer({ fsync: 'on' }),
  noStart: NO_OWN_SERVER,
};

/** The same server: what breaks is behind the pooler. */
const PGBOUNCER: FaultyServer = {
  ...POSTGRESQL,
  endConnections: (databaseUrl, most, salt) => POSTGRESQL.endConnections(directUrl(databaseUrl), most, salt),
};

const NO_SUCH_THREAD = 1094;
/** Without the binary log, others may read what is committed before it is written down, and a crash takes it back. */
const DURABLE = { 'innodb-flush-log-at-trx-commit': 1, 'log-bin': 'binlog', 'sync-binlog': 1 };

const MARIADB: FaultyServer = {
  async endConnections(databaseUrl, most, salt) {
    const sql = `select id from information_schema.processlist where db = database() and id <> connection_id()
      order by md5(concat(id, ?)) limit ?`;
    const connections = await rawRows<{ id: number }>(databaseUrl, sql, [String(salt), most]);
    for (const { id } of connections) {
      await rawRows(databaseUrl, `kill ${String(id)}`).catch((error: { errno?: number }) => {
        if (error.errno !== NO_SUCH_THREAD) throw error;
      });
    }
    // The server only notes the wish, and sees it when it can.
    const left = 'select id from information_schema.processlist where id in (?)';
    const ids = connections.map(({ id }) => id);
    while (ids.length > 0 && (await rawRows(databaseUrl, left, [ids])).length > 0);
    return connections.length;
  },
  readStatements: readMySql,
  commits: (statement) => statement.toLowerCase() === 'commit',
  sleep: (seconds) => `select sleep(${String(seconds)})`,
  sleepers: `select id from information_schema.processlist where db = database() and state = 'User sleep'`,
  noLimit: 'set max_statement_time = 0',
  start: () => startOwnMariaDb(DURABLE),
  noStart: NO_OWN_MARIADB,
};

/** One line an engine whose databases live on a server. */
const FAULTY_SERVERS: Readonly<Record<Exclude<EngineName, 'sqlite'>, FaultyServer>> = {
  postgresql: POSTGRESQL,
  mariadb: MARIADB,
  pgbouncer: PGBOUNCER,
};

/** The server of an engine; undefined for one that is embedded. */
export function faultyServer(engine: EngineName): FaultyServer | undefined {
  return engine === 'sqlite' ? undefined : FAULTY_SERVERS[engine];
}

/** The server of an engine that is not embedded. */
export function serverOf(engine: EngineName): FaultyServer {
  const server = faultyServer(engine);
  if (!server) throw new Error(`${engine} has no server`);
  return server;
}
