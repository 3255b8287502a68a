import { translateOrmError } from './orm-errors.js';
import {
  AlreadyExistsError,
  DatabaseFailedError,
  DatabaseFullError,
  DatabaseLockedError,
  DatabaseReadOnlyError,
  DatabaseTimeoutError,
  OutcomeUnknownError,
  ReferenceNotFoundError,
  TransactionConflictError,
} from '../errors.js';
import { isConnectionLoss } from './postgresql-client.js';
import { CommitInterruptedError, type MakeError, unavailable, violated } from './server-errors.js';

/** What the server says about an error beside its code; see https://www.postgresql.org/docs/current/protocol-error-fields.html. */
interface ServerError extends Error {
  readonly code?: string;
  readonly detail?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}

type Make = MakeError<ServerError>;

const tooLarge: Make = ({ table, column }) => violated(table, column, 'range');

/** SQLSTATEs, by their longest prefix; see https://www.postgresql.org/docs/current/errcodes-appendix.html. */
const SERVER_ERRORS: readonly (readonly [prefix: string, make: Make])[] = [
  ['23505', (cause) => new AlreadyExistsError(columnsOf(cause), { cause })],
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
