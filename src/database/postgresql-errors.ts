import { translateOrmError } from './orm-errors.js';
import {
  AlreadyExistsError,
  type ColloquyError,
  DatabaseFailedError,
  DatabaseFullError,
  DatabaseLockedError,
  DatabaseReadOnlyError,
  DatabaseTimeoutError,
  DatabaseUnavailableError,
  OutcomeUnknownError,
  ReferenceNotFoundError,
  TransactionConflictError,
  ValidationError,
} from '../errors.js';
import { CommitInterruptedError, isConnectionLoss } from './postgresql-client.js';

/** What the server says about an error beside its code; see https://www.postgresql.org/docs/current/protocol-error-fields.html. */
interface ServerError extends Error {
  readonly code?: string;
  readonly detail?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}

type Make = (error: ServerError, database: string) => ColloquyError;

const unavailable: Make = (cause, database) => new DatabaseUnavailableError(database, reasonOf(cause), { cause });
const tooLarge: Make = (cause) => violated(cause, cause.column, 'range', 'is longer or greater than its column takes');

/** SQLSTATEs, by their longest prefix; see https://www.postgresql.org/docs/current/errcodes-appendix.html. */
const SERVER_ERRORS: readonly (readonly [prefix: string, make: Make])[] = [
  ['23505', (cause) => new AlreadyExistsError(columnsOf(cause), { cause })],
  ['23503', (cause) => new ReferenceNotFoundError({ cause })],
  ['23502', (cause) => violated(cause, cause.column, 'notNull', 'must not be missing')],
  ['23514', (cause) => violated(cause, cause.constraint, 'check', 'is not one of the allowed values')],
  ['22001', tooLarge],
  ['22003', tooLarge],
  ['22021', (cause) => violated(cause, cause.column, 'isText', 'must be text without NUL')],
  ['40001', (cause) => new TransactionConflictError({ cause })],
  ['40P01', (cause) => new TransactionConflictError({ cause })],
  ['55P03', (cause) => new DatabaseLockedError({ cause })],
  ['57014', (cause) => new DatabaseTimeoutError({ cause })],
  ['53100', (cause) => new DatabaseFullError({ cause })],
  ['25006', (cause) => new DatabaseReadOnlyError({ cause })],
  // No such database, no such role, wrong password, too many connections, shutting down, out of memory for another connection.
  ['3D000', unavailable],
  ['28', unavailable],
  ['53', unavailable],
  ['57P', unavailable],
  ['08', unavailable],
];

/** An error of `pg` or of the network, raw or wrapped by MikroORM, as one of `errors.ts`; anything else comes back as it is. */
export function translatePostgreSqlError(error: unknown, database: string): unknown {
  const known = translateOrmError(error);
  if (known || !(error instanceof Error)) return known ?? error;
  if (error instanceof CommitInterruptedError) return new OutcomeUnknownError({ cause: error });
  if (isConnectionLoss(error)) return unavailable(error, database);
  const { code } = error as ServerError;
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return error;
  const [, make] = SERVER_ERRORS.find(([prefix]) => code.startsWith(prefix)) ?? [];
  return make ? make(error, database) : new DatabaseFailedError(code, { cause: error });
}

/** `Key (tenant_id, external_id)=(…) already exists.`, in whatever language; the tenant's column is not news. */
function columnsOf({ table, constraint, detail = '' }: ServerError): string {
  const columns = /\(([^()]+)\)=\(/.exec(detail)?.[1]?.split(', ') ?? [];
  const named = columns.filter((column) => column !== 'tenant_id').map((column) => `${table ?? ''}.${column}`);
  return named.join(', ') || constraint || 'key';
}

function violated({ table = 'row' }: ServerError, name: string | undefined, rule: string, message: string) {
  const path = name === undefined ? table : `${table}.${name}`;
  return new ValidationError(table, [{ path, rule, message, kind: 'unknown' }]);
}

/** A refused connection to several addresses has no message of its own. */
function reasonOf(error: ServerError): string {
  const [first = ''] = error.message.split('\n');
  return [first, error.code === undefined || first.includes(error.code) ? '' : `(${error.code})`]
    .filter(Boolean)
    .join(' ');
}
