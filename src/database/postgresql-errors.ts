import { translateOrmError } from './orm-errors.js';
import {
  AlreadyExistsError,
  type ColloquyError,
  ConfigurationError,
  DatabaseFailedError,
  DatabaseFullError,
  DatabaseLockedError,
  DatabaseReadOnlyError,
  DatabaseTimeoutError,
  OutcomeUnknownError,
  ReferenceNotFoundError,
  TenantMismatchError,
  TransactionConflictError,
} from '../errors.js';
import { isConnectionLoss } from './postgresql-client.js';
import { howToGrantRoles } from './postgresql-row-level-security.js';
import { TENANT_ROLE } from './postgresql-sessions.js';
import { CommitInterruptedError, reasonOf, unavailable as unavailableServer, violated } from './server-errors.js';
import type { UniqueKeys } from './unique-keys.js';

/** What the server says about an error beside its code; see https://www.postgresql.org/docs/current/protocol-error-fields.html. */
interface ServerError extends Error {
  readonly code?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly routine?: string;
}

const INSUFFICIENT_PRIVILEGE = '42501';

/** What an error is told with, beside what the server says. */
export interface ErrorContext {
  /** The database for people, without secrets. */
  readonly database: string;
  readonly user: string;
  readonly uniqueKeys: UniqueKeys;
}

type Make = (error: ServerError, context: ErrorContext) => ColloquyError;

const unavailable: Make = (cause, { database }) => unavailableServer(cause, database);
const tooLarge: Make = ({ table, column }) => violated(table, column, 'range');

/** SQLSTATEs, by their longest prefix; see https://www.postgresql.org/docs/current/errcodes-appendix.html. */
const SERVER_ERRORS: readonly (readonly [prefix: string, make: Make])[] = [
  ['23505', (cause, context) => new AlreadyExistsError(columnsOf(cause, context), { cause })],
  ['23503', (cause) => new ReferenceNotFoundError({ cause })],
  ['23502', ({ table, column }) => violated(table, column, 'notNull')],
  ['23514', ({ table, constraint }) => violated(table, constraint, 'check')],
  ['22001', tooLarge],
  ['22003', tooLarge],
  ['22021', ({ table, column }) => violated(table, column, 'storable')],
  ['40001', (cause) => new TransactionConflictError({ cause })],
  ['40P01', (cause) => new TransactionConflictError({ cause })],
  ['55P03', (cause) => new DatabaseLockedError({ cause })],
  ['57014', (cause) => new DatabaseTimeoutError({ cause })],
  ['53100', (cause) => new DatabaseFullError({ cause })],
  ['25006', (cause) => new DatabaseReadOnlyError('database', { cause })],
  // No such database, no such role, wrong password, too many connections, shutting down, out of memory for another connection.
  ['3D000', unavailable],
  ['28', unavailable],
  ['53', unavailable],
  ['57P', unavailable],
  ['08', unavailable],
];

/** An error of `pg` or of the network, raw or wrapped by MikroORM, as one of `errors.ts`; anything else comes back as it is. */
export function translatePostgreSqlError(error: unknown, context: ErrorContext): unknown {
  const known = translateOrmError(error);
  if (known || !(error instanceof Error)) return known ?? error;
  if (error instanceof CommitInterruptedError) return new OutcomeUnknownError({ cause: error });
  if (isConnectionLoss(error)) return unavailable(error, context);
  const { code, constraint, routine } = error as ServerError;
  if (code === INSUFFICIENT_PRIVILEGE && constraint === TENANT_ROLE) {
    const problem = `${context.database}: ${reasonOf(error)}; ${howToGrantRoles(context.user)}`;
    return new ConfigurationError([problem], { cause: error });
  }
  // What row-level security says of a row that it does not let in, in every language.
  if (code === INSUFFICIENT_PRIVILEGE && routine === 'ExecWithCheckOptions') {
    return new TenantMismatchError('row', { cause: error });
  }
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return error;
  const [, make] = SERVER_ERRORS.find(([prefix]) => code.startsWith(prefix)) ?? [];
  return make ? make(error, context) : new DatabaseFailedError(code, { cause: error });
}

/** The server shows no columns to a role that row-level security binds. */
function columnsOf({ constraint = 'key' }: ServerError, { uniqueKeys }: ErrorContext): string {
  return uniqueKeys.get(constraint)?.join(', ') || constraint;
}
