import { callbackify } from 'node:util';
import { createPool, type Pool, type PoolConnection } from 'mysql2';
import type { MysqlPool } from 'kysely';
import { Session } from './mariadb-session.js';
import type { ServerSettings } from './server-url.js';
import type { TlsSettings } from './tls.js';

const SQL_MODE = 'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';
/** Statements that each connection keeps prepared. The server counts those of all connections, and has 16,382 places. */
const PREPARED_MAX = 100;
/** A year in seconds: the longest wait that the server knows. */
const FOR_EVER = 31_536_000;

/**
 * Connections to a server, made as they are needed. Each sees what others have committed, in UTC and in strict mode, and has a limit for
 * a statement: MariaDB's also ends writes, MySQL's only reads, which is why a wait for a lock has one of its own.
 */
export class SessionPool implements MysqlPool {
  readonly settings: ServerSettings;
  readonly #pool: Pool;
  readonly #sessions = new Map<PoolConnection, Session>();

  constructor(settings: ServerSettings) {
    this.settings = settings;
    const { host, port, user, password, database, tls } = settings;
    this.#pool = createPool({
      host,
      port,
      user,
      ...(password !== undefined && { password }),
      database,
      ...(tls.sslmode !== 'disable' && { ssl: tlsOf(tls) }),
      connectionLimit: settings.poolSize,
      connectTimeout: settings.connectTimeout,
      maxPreparedStatements: PREPARED_MAX,
      connectAttributes: { program_name: settings.applicationName },
      charset: 'UTF8MB4_BIN',
      supportBigNumbers: true,
      // As many digits as a column for money has are exact, and come without the zeros that fill its scale.
      decimalNumbers: true,
      dateStrings: true,
      jsonStrings: true,
      flags: ['-LOCAL_FILES'],
      gracefulEnd: true,
    });
  }

  /** The pool of the driver itself. */
  get native(): Pool {
    return this.#pool;
  }

  getConnection(callback: (error: unknown, session: Session) => void): void {
    callbackify(async () => this.#acquire())(callback);
  }

  end(callback: (error: unknown) => void): void {
    // A connection that cannot say goodbye is closed as well.
    this.#pool.end(() => callback(undefined));
  }

  async #acquire(): Promise<Session> {
    const connection = await this.#connect();
    const known = this.#sessions.get(connection);
    known?.wake();
    return known ?? this.#open(connection);
  }

  async #open(connection: PoolConnection): Promise<Session> {
    const { idleTimeout, poolIdle, statementTimeout, connectTimeout } = this.settings;
    const session = new Session(connection, {
      closeAfter: idleTimeout,
      mayClose: () => this.#sessions.size > poolIdle,
      patience: statementTimeout === 0 ? undefined : statementTimeout + connectTimeout,
    });
    this.#sessions.set(connection, session);
    const forget = (): unknown => this.#sessions.delete(connection);
    connection.once('end', forget);
    connection.once('error', forget);
    try {
      await session.setUp(sessionStatements(this.settings.statementTimeout));
      return session;
    } catch (error) {
      forget();
      session.destroy();
      throw error;
    }
  }

  /** A connection of the pool; one that comes after the time is over goes back unused. */
  async #connect(): Promise<PoolConnection> {
    return new Promise((resolve, reject) => {
      const { connectTimeout } = this.settings;
      let isLate = false;
      const giveUp = (): void => {
        isLate = true;
        const message = `no connection became free within ${String(connectTimeout)} ms`;
        reject(Object.assign(new Error(message), { code: 'ETIMEDOUT' }));
      };
      const timer = connectTimeout > 0 ? setTimeout(giveUp, connectTimeout) : undefined;
      this.#pool.getConnection((error, connection) => {
        clearTimeout(timer);
        if (error) reject(error);
        else if (isLate) connection.release();
        else resolve(connection);
      });
    });
  }
}

/** The driver's own options for TLS. It compares the host with the certificate by itself. */
function tlsOf({ sslmode, ca, cert, key }: TlsSettings) {
  return {
    rejectUnauthorized: sslmode !== 'require',
    verifyIdentity: sslmode === 'verify-full',
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

/** The statements that make a connection what the library expects; `timeout` in milliseconds, 0 for none. */
export function sessionStatements(timeout: number): readonly string[] {
  const lockWait = timeout === 0 ? FOR_EVER : Math.ceil(timeout / 1_000) + 1;
  // The first comment is a statement to MariaDB alone, the second to MySQL alone.
  const limits = `/*M!100100 , max_statement_time = ${String(timeout / 1_000)} *//*!50708 , max_execution_time = ${String(timeout)} */`;
  return [
    'set session transaction isolation level read committed',
    `set time_zone = '+00:00', sql_mode = '${SQL_MODE}', innodb_lock_wait_timeout = ${String(lockWait)} ${limits}`,
  ];
}
