import type { Socket } from 'node:net';
import { callbackify } from 'node:util';
import type { ExecuteValues, PoolConnection, QueryError, QueryResult, ResultSetHeader } from 'mysql2';
import type { MysqlPoolConnection } from 'kysely';
import { OwedAnswers } from './owed-answers.js';
import { CommitInterruptedError, isNetworkFailure } from './server-errors.js';

/** What a statement needs beside the bytes of its values, at most: its head, and length, type and null bit of each value. */
const HEAD_BYTES = 64;
const VALUE_BYTES = 13;

/** An earlier statement of the transaction failed, and somebody caught that: nothing of the transaction can be committed any more. */
export class TransactionFailedError extends Error {
  constructor(cause: unknown) {
    super('The transaction had failed before and is rolled back', { cause });
  }
}

/** The values of a statement are more than the server takes in one packet. It was not sent. */
export class StatementTooLargeError extends Error {
  constructor(
    readonly size: number,
    readonly limit: number,
  ) {
    super(`A statement of ${String(size)} bytes is more than max_allowed_packet, ${String(limit)}`);
  }
}

/** What a session does by itself; times in milliseconds, 0 for never. */
export interface SessionRules {
  /** When an unused connection is closed, unless others of the pool are to be closed first. */
  readonly closeAfter: number;
  readonly mayClose: () => boolean;
  /**
   * How long a server may be silent that owes an answer before the connection is taken for lost; undefined to wait for ever. A
   * transaction that sets its own limit is waited for.
   */
  readonly patience: number | undefined;
}

/** What sets a limit of its own for statements. */
const OWN_LIMIT = /^\s*set\b.*\bmax_(?:statement|execution)_time\b/is;

/**
 * A connection of the pool as Kysely uses it. What has values is prepared and bound; the rest, such as BEGIN, is sent as it is.
 *
 * After a failed statement a transaction takes nothing but its rollback, or the rollback to a savepoint. The server itself would go
 * on, and after a deadlock, when it has rolled back everything, commit each later statement by itself.
 */
export class Session implements MysqlPoolConnection {
  readonly #connection: PoolConnection;
  #packetMax = Infinity;
  #isOpen = false;
  #failure: unknown;
  #isLost = false;
  readonly #rules: SessionRules;
  #idle: NodeJS.Timeout | undefined;
  readonly #answers: OwedAnswers;

  constructor(connection: PoolConnection, rules: SessionRules) {
    this.#connection = connection;
    this.#rules = rules;
    const { stream } = connection as unknown as { readonly stream: Socket };
    this.#answers = new OwedAnswers(stream, rules.patience);
    // Without a listener the loss of a connection would end the process; whoever uses it finds out by its next statement.
    connection.on('error', () => (this.#isLost = true));
    connection.on('end', () => (this.#isLost = true));
  }

  get threadId(): number {
    return this.#connection.threadId;
  }

  get config(): object {
    return this.#connection.config;
  }

  /** Sends the statements that make a new connection what the library expects. */
  async setUp(statements: readonly string[]): Promise<void> {
    for (const statement of statements) await this.#send(statement, []);
    const [row] = (await this.#send('select @@max_allowed_packet as packet', [])) as unknown as { packet: number }[];
    this.#packetMax = row?.packet ?? Infinity;
    this.#answers.isPatient = false;
  }

  connect(): void {
    throw new Error('A connection of the pool is connected');
  }

  query(
    text: string,
    values: readonly ExecuteValues[],
    callback?: (error: unknown, result: never) => void,
  ): ReturnType<MysqlPoolConnection['query']> {
    if (callback) callbackify(async () => this.#run(text, values))(callback as () => void);
    return { stream: () => this.#stream(text, values) };
  }

  release(): void {
    this.#answers.isPatient = false;
    this.#connection.release();
    const { closeAfter, mayClose } = this.#rules;
    if (closeAfter === 0 || this.#isLost) return;
    const close = (): void => {
      if (mayClose()) this.#connection.end();
    };
    this.#idle = setTimeout(close, closeAfter).unref();
  }

  /** The connection is to be used again. */
  wake(): void {
    clearTimeout(this.#idle);
  }

  destroy(): void {
    this.#connection.destroy();
  }

  async #run(text: string, values: readonly ExecuteValues[]): Promise<QueryResult> {
    if (text === 'rollback') return this.#rollback();
    const takesBack = /^rollback to /i.test(text);
    this.#assertNotFailed(takesBack);
    if (text === 'commit') return this.#commit();
    try {
      const result = await this.#send(text, values);
      if (text === 'begin') this.#isOpen = true;
      if (takesBack) this.#failure = undefined;
      return result;
    } catch (error) {
      if (this.#isOpen && !/^release savepoint /i.test(text)) this.#failure ??= error;
      throw error;
    }
  }

  async #commit(): Promise<QueryResult> {
    const wasSent = !this.#isLost;
    try {
      return await this.#send('commit', []);
    } catch (error) {
      if (wasSent && isConnectionLoss(error)) throw new CommitInterruptedError(error);
      throw error;
    } finally {
      this.#isOpen = false;
    }
  }

  /** A connection whose transaction could not be ended goes: nobody shall be given it again. */
  async #rollback(): Promise<QueryResult> {
    try {
      return await this.#send('rollback', []);
    } catch (error) {
      this.destroy();
      throw error;
    } finally {
      this.#isOpen = false;
      this.#failure = undefined;
    }
  }

  async #send(text: string, values: readonly ExecuteValues[]): Promise<QueryResult> {
    this.#assertFits(values);
    if (OWN_LIMIT.test(text)) this.#answers.isPatient = true;
    const answer = new Promise<QueryResult>((resolve, reject) => {
      const settle = (error: QueryError | null, result: QueryResult): void => (error ? reject(error) : resolve(result));
      if (values.length === 0) this.#connection.query<ResultSetHeader>(text, settle);
      else this.#connection.execute<ResultSetHeader>(text, [...values], settle);
    });
    return this.#answers.wait(answer);
  }

  #stream(text: string, values: readonly ExecuteValues[]): AsyncIterable<unknown> {
    this.#assertNotFailed();
    this.#assertFits(values);
    const stream = this.#connection.execute(text, [...values]).stream();
    // The driver tells a lost connection to the calls under way, but not to a stream, which would wait for ever.
    const fail = (error: Error): unknown => stream.destroy(error);
    this.#connection.on('error', fail);
    stream.once('close', () => this.#connection.off('error', fail));
    return stream;
  }

  #assertNotFailed(takesBack = false): void {
    if (this.#failure !== undefined && !takesBack) throw new TransactionFailedError(this.#failure);
  }

  /** The server would close the connection, and its reason be lost. */
  #assertFits(values: readonly ExecuteValues[]): void {
    const bytes = (measure: (value: string) => number): number =>
      values.reduce<number>((sum, value) => sum + VALUE_BYTES + sizeOf(value, measure), HEAD_BYTES);
    // No character takes more than three bytes for each of its code units.
    if (bytes((text) => text.length * 3) <= this.#packetMax) return;
    const size = bytes((text) => Buffer.byteLength(text));
    if (size > this.#packetMax) throw new StatementTooLargeError(size, this.#packetMax);
  }
}

function sizeOf(value: ExecuteValues, measure: (text: string) => number): number {
  if (typeof value === 'string') return measure(value);
  return Buffer.isBuffer(value) ? value.length : 0;
}

/** What the server says of a connection that it ends; see https://mariadb.com/kb/en/mariadb-error-codes/. */
const LOST_ERRNOS: ReadonlySet<unknown> = new Set([1053, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927]);
/** What the driver itself says. */
const LOST_CODES = /^(?:PROTOCOL_\w+|HANDSHAKE_\w+)$/;

/** Whether an error of the driver, or of the network below it, means that there is no connection any more. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { errno, code, fatal } = error as { errno?: unknown; code?: unknown; fatal?: unknown };
  if (LOST_ERRNOS.has(errno)) return true;
  // Of a connection that is closed already the driver says so without a code.
  return typeof code === 'string' ? LOST_CODES.test(code) || isNetworkFailure(code) : fatal === true;
}
