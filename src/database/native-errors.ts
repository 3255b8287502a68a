import { OptimisticLockError, ValidationError as OrmValidationError } from '@mikro-orm/core';
import {
  AlreadyExistsError,
  ColloquyError,
  DatabaseCorruptError,
  DatabaseFailedError,
  DatabaseFullError,
  DatabaseLockedError,
  DatabaseReadOnlyError,
  DatabaseUnavailableError,
  ReferenceNotFoundError,
  ValidationError,
  VersionConflictError,
} from '../errors.js';

/** SQLite's result codes, by their longest prefix; see https://www.sqlite.org/rescode.html. */
const SQLITE_ERRORS: readonly (readonly [prefix: string, make: (error: Error, database: string) => ColloquyError])[] = [
  ['SQLITE_CONSTRAINT_UNIQUE', (cause) => new AlreadyExistsError(columnsOf(cause), { cause })],
  ['SQLITE_CONSTRAINT_PRIMARYKEY', (cause) => new AlreadyExistsError(columnsOf(cause), { cause })],
  ['SQLITE_CONSTRAINT_FOREIGNKEY', (cause) => new ReferenceNotFoundError({ cause })],
  ['SQLITE_CONSTRAINT_NOTNULL', (cause) => violated(cause, 'notNull', 'must not be missing')],
  ['SQLITE_CONSTRAINT_CHECK', (cause) => violated(cause, 'check', 'is not one of the allowed values')],
  ['SQLITE_BUSY', (cause) => new DatabaseLockedError({ cause })],
  ['SQLITE_LOCKED', (cause) => new DatabaseLockedError({ cause })],
  ['SQLITE_FULL', (cause) => new DatabaseFullError({ cause })],
  ['SQLITE_READONLY', (cause) => new DatabaseReadOnlyError({ cause })],
  ['SQLITE_NOTADB', (cause) => new DatabaseCorruptError({ cause })],
  ['SQLITE_CORRUPT', (cause) => new DatabaseCorruptError({ cause })],
  ['SQLITE_CANTOPEN', (cause, database) => new DatabaseUnavailableError(database, cause.message, { cause })],
  ['SQLITE_IOERR', (cause, database) => new DatabaseUnavailableError(database, cause.message, { cause })],
];

/** An error of better-sqlite3, raw or wrapped by MikroORM, as one of `errors.ts`; anything else comes back as it is. */
export function translateSqliteError(error: unknown, database: string): unknown {
  if (error instanceof ColloquyError || !(error instanceof Error)) return error;
  if (error instanceof OptimisticLockError) {
    return new VersionConflictError(error.getEntity()?.constructor.name ?? 'The row', { cause: error });
  }
  if (error instanceof OrmValidationError) return wrongKind(error);
  const code: unknown = (error as { code?: unknown }).code;
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return error;
  const known = SQLITE_ERRORS.find(([prefix]) => code.startsWith(prefix));
  return known ? known[1](error, database) : new DatabaseFailedError(code, { cause: error });
}

/** `UNIQUE constraint failed: users.tenant_id, users.external_id` names the columns; the tenant's is not news. */
function columnsOf(error: Error): string {
  const columns = /failed: (.+)$/m.exec(error.message)?.[1]?.split(', ') ?? [];
  return columns.filter((column) => !column.endsWith('.tenant_id')).join(', ') || 'key';
}

/** What MikroORM refuses before any rule is asked; its message shows the value, ours does not. */
function wrongKind(error: OrmValidationError): ValidationError {
  const [, entity = 'The entity', path = 'value'] = /(\w+)\.(\w+)/.exec(error.message) ?? [];
  return new ValidationError(entity, [
    { path, rule: 'type', message: 'has a value of the wrong kind', kind: 'unknown' },
  ]);
}

function violated(error: Error, rule: string, message: string): ValidationError {
  const path = /failed: (.+)$/m.exec(error.message)?.[1] ?? 'row';
  return new ValidationError(path.split('.')[0] ?? 'row', [{ path, rule, message, kind: 'unknown' }]);
}
