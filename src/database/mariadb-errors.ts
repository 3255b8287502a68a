import {
  AlreadyExistsError,
  type ColloquyError,
  DatabaseFailedError,
  DatabaseFullError,
  DatabaseLimitError,
  DatabaseLockedError,
  DatabaseReadOnlyError,
  DatabaseTimeoutError,
  OutcomeUnknownError,
  ReferenceNotFoundError,
  TransactionConflictError,
} from '../errors.js';
import type { RuleName } from '../messages/catalog.js';
import { isConnectionLoss, StatementTooLargeError, TransactionFailedError } from './mariadb-session.js';
import { translateOrmError } from './orm-errors.js';
import { CommitInterruptedError, unavailable as unavailableServer, violated } from './server-errors.js';
import type { UniqueKeys } from './unique-keys.js';

/** What the driver says about an error of the server. */
interface ServerError extends Error {
  readonly errno?: number;
  readonly code?: string;
  /** The statement, without its values. */
  readonly sql?: string;
}

/** What an error is told with, beside what the server says. */
export interface ErrorContext {
  /** The database for people, without secrets. */
  readonly database: string;
  readonly uniqueKeys: UniqueKeys;
}

type Make = (error: ServerError, context: ErrorContext) => ColloquyError;

const unavailable: Make = (cause, { database }) => unavailableServer(cause, database);
/** The server's setting that limits a statement. */
const PACKET = 'max_allowed_packet';

/** A rule of a column, or a named one of the table, that the database itself asks. */
const broken =
  (rule: RuleName): Make =>
  (cause) =>
    violated(tableOf(cause.sql), namedIn(cause), rule);
const missing = broken('notNull');
const notAllowed = broken('check');
const tooLarge = broken('range');
const wrongKind = broken('type');
const noReference: Make = (cause) => new ReferenceNotFoundError({ cause });
const conflict: Make = (cause) => new TransactionConflictError({ cause });
const timeout: Make = (cause) => new DatabaseTimeoutError({ cause });
const full: Make = (cause) => new DatabaseFullError({ cause });
const readOnly: Make = (cause) => new DatabaseReadOnlyError('database', { cause });

/** Numbers of errors, of MariaDB and of MySQL; see https://mariadb.com/kb/en/mariadb-error-codes/. */
const SERVER_ERRORS: ReadonlyMap<number, Make> = new Map<number, Make>([
  [1062, (cause, context) => new AlreadyExistsError(columnsOf(cause, context), { cause })],
  [1216, noReference],
  [1217, noReference],
  [1451, noReference],
  [1452, noReference],
  [1048, missing],
  [1364, missing],
  [3819, notAllowed],
  [4025, notAllowed],
  [1264, tooLarge],
  [1406, tooLarge],
  [1265, wrongKind],
  [1292, wrongKind],
  [1366, wrongKind],
  // A deadlock, and a row that changed since the transaction's snapshot.
  [1213, conflict],
  [1020, conflict],
  [1153, (cause) => new DatabaseLimitError(PACKET, undefined, { cause })],
  [1205, (cause) => new DatabaseLockedError({ cause })],
  [3572, (cause) => new DatabaseLockedError({ cause })],
  // A limit of time (of MariaDB, of MySQL), and a statement that somebody cancelled.
  [1969, timeout],
  [3024, timeout],
  [1317, timeout],
  [1021, full],
  [1114, full],
  [1290, readOnly],
  [1792, readOnly],
  [1836, readOnly],
  // Nobody is let in: wrong password or host, no such database, no such privilege, a node that has left its cluster; too many
  // connections or prepared statements.
  ...[1040, 1044, 1045, 1047, 1049, 1129, 1130, 1203, 1226, 1461, 1698, 3118, 4151].map(
    (errno) => [errno, unavailable] as const,
  ),
]);

/** An error of `mysql2`, of the server or of the network, raw or wrapped by MikroORM; anything else comes back as it is. */
export function translateMariaDbError(error: unknown, context: ErrorContext): unknown {
  const known = translateOrmError(error);
  if (known || !(error instanceof Error)) return known ?? error;
  const { errno, code }: ServerError = error;
  if (error instanceof CommitInterruptedError) return new OutcomeUnknownError({ cause: error });
  if (error instanceof TransactionFailedError) return failedBefore(error, context);
  if (error instanceof StatementTooLargeError) return new DatabaseLimitError(PACKET, error.limit, { cause: error });
  if (isConnectionLoss(error)) return unavailable(error, context);
  if (typeof errno !== 'number' || errno <= 0) return error;
  return SERVER_ERRORS.get(errno)?.(error, context) ?? new DatabaseFailedError(code ?? String(errno), { cause: error });
}

/** What a transaction fails with that somebody went on with after a failed statement; after a conflict it may be run again. */
function failedBefore(error: TransactionFailedError, context: ErrorContext): unknown {
  const first = translateMariaDbError(error.cause, context);
  return first instanceof TransactionConflictError
    ? first
    : new DatabaseFailedError('TRANSACTION_FAILED', { cause: error });
}

/** The table that a statement writes. */
function tableOf(sql = ''): string | undefined {
  return /^(?:insert(?: ignore)? into|update|delete from) `(\w+)`/.exec(sql)?.[1];
}

/** The columns of the key that is taken, of which the server says the name alone, and its value before. */
function columnsOf({ message, sql }: ServerError, { uniqueKeys }: ErrorContext): string {
  const [, name = 'key'] = /.* for key '(?:\w+\.)?(\w+)'$/s.exec(message) ?? [];
  // Every table's primary key has this name.
  if (name === 'PRIMARY') return `${tableOf(sql) ?? 'row'}.id`;
  return uniqueKeys.get(name)?.join(', ') ?? name;
}

/** The column or the constraint that a message names, `Column 'title' cannot be null`; a value before it is never taken for one. */
function namedIn({ message }: ServerError): string | undefined {
  const name = /(?:column|field|constraint) (?:`[^`]+`\.`[^`]+`\.)?['`](\w+)['`](?! value)[^'`]*(?: failed for .*)?$/i;
  return name.exec(message)?.[1];
}
