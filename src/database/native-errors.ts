import { translateOrmError } from './orm-errors.js';
import {
  AlreadyExistsError,
  type ColloquyError,
  DatabaseCorruptError,
  DatabaseFailedError,
  DatabaseFullError,
  DatabaseLockedError,
  DatabaseReadOnlyError,
  DatabaseUnavailableError,
  ReferenceNotFoundError,
  ValidationError,
} from '../errors.js';
import { ruleBrokenInDatabase } from '../messages/broken-rule.js';

/** SQLite's result codes, by their longest prefix; see https://www.sqlite.org/rescode.html. */
const SQLITE_ERRORS: readonly (readonly [prefix: string, make: (error: Error, database: string) => ColloquyError])[] = [
  ['SQLITE_CONSTRAINT_UNIQUE', (cause) => new AlreadyExistsError(columnsOf(cause), { cause })],
  ['SQLITE_CONSTRAINT_PRIMARYKEY', (cause) => new AlreadyExistsError(columnsOf(cause), { cause })],
  ['SQLITE_CONSTRAINT_FOREIGNKEY', (cause) => new ReferenceNotFoundError({ cause })],
  ['SQLITE_CONSTRAINT_NOTNULL', (cause) => violated(cause, 'notNull')],
  ['SQLITE_CONSTRAINT_CHECK', (cause) => violated(cause, 'check')],
  ['SQLITE_BUSY', (cause) => new DatabaseLockedError({ cause })],
  ['SQLITE_LOCKED', (cause) => new DatabaseLockedError({ cause })],
  ['SQLITE_FULL', (cause) => new DatabaseFullError({ cause })],
  ['SQLITE_READONLY', (cause) => new DatabaseReadOnlyError('database', { cause })],
  ['SQLITE_NOTADB', (cause) => new DatabaseCorruptError({ cause })],
  ['SQLITE_CORRUPT', (cause) => new DatabaseCorruptError({ cause })],
  ['SQLITE_CANTOPEN', (cause, database) => new DatabaseUnavailableError(database, cause.message, { cause })],
  ['SQLITE_IOERR', (cause, database) => new DatabaseUnavailableError(database, cause.message, { cause })],
];

/** An error of better-sqlite3, raw or wrapped by MikroORM, as one of `errors.ts`; anything else comes back as it is. */
export function translateSqliteError(error: unknown, database: string): unknown {
  const known = translateOrmError(error);
  if (known || !(error instanceof Error)) return known ?? error;
  const code: unknown = (error as { code?: unknown }).code;
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return error;
  const [, make] = SQLITE_ERRORS.find(([prefix]) => code.startsWith(prefix)) ?? [];
  return make ? make(error, database) : new DatabaseFailedError(code, { cause: error });
}

/** `UNIQUE constraint failed: users.tenant_id, users.external_id` names the columns; the tenant's is not news. */
function columnsOf(error: Error): string {
  const columns = /failed: (.+)$/m.exec(error.message)?.[1]?.split(', ') ?? [];
  return columns.filter((column) => !column.endsWith('.tenant_id')).join(', ') || 'key';
}

function violated(error: Error, rule: string): ValidationError {
  const path = /failed: (.+)$/m.exec(error.message)?.[1] ?? 'row';
  return new ValidationError(path.split('.')[0] ?? 'row', [ruleBrokenInDatabase(path, rule)]);
}
