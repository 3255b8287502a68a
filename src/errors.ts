/**
 * The closed list of errors that Colloquy throws. Each class has a stable `code`, structured fields and a message that says what
 * happened and what to do next. Native driver errors are translated at one border (`database/`, a file an engine) and kept as
 * `cause`. Messages never carry the content of a row, only identifiers, limits and kinds.
 */

export type ErrorCode =
  | 'VALIDATION_FAILED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'REFERENCE_NOT_FOUND'
  | 'TENANT_MISMATCH'
  | 'INVALID_STATE'
  | 'VERSION_CONFLICT'
  | 'IDEMPOTENCY_CONFLICT'
  | 'TRANSACTION_CONFLICT'
  | 'OUTCOME_UNKNOWN'
  | 'CONFIGURATION_INVALID'
  | 'DATABASE_UNAVAILABLE'
  | 'DATABASE_LOCKED'
  | 'DATABASE_TIMEOUT'
  | 'DATABASE_FULL'
  | 'DATABASE_READ_ONLY'
  | 'DATABASE_CORRUPT'
  | 'DATABASE_FAILED'
  | 'SCHEMA_MISMATCH'
  | 'ARCHIVE_UNREADABLE'
  | 'ARCHIVE_REJECTED'
  | 'UNIT_OF_WORK_ENDED'
  | 'PERSISTENCE_CLOSED';

/** What every error of Colloquy has in common: branch on `code`, show `message`, log `cause`. */
export abstract class ColloquyError extends Error {
  abstract readonly code: ErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }

  toJSON(): Record<string, unknown> {
    const { name: _name, cause: _cause, code, ...fields } = this as unknown as Record<string, unknown>;
    return { code, message: this.message, ...fields };
  }
}

/** One broken rule: where (`messages.3.content`), which rule, what it asks, and the kind of value found, never the value. */
export interface ValidationIssue {
  readonly path: string;
  readonly rule: string;
  readonly message: string;
  readonly kind: string;
}

/** The input breaks one or more rules; all of them are in `issues`. Nothing was written. */
export class ValidationError extends ColloquyError {
  readonly code = 'VALIDATION_FAILED';

  constructor(
    readonly entity: string,
    readonly issues: readonly ValidationIssue[],
  ) {
    super(`${entity} is not valid: ${issues.map((issue) => `${issue.path} ${issue.message}`).join('; ')}.`);
  }
}

/** No such row in this tenant. */
export class NotFoundError extends ColloquyError {
  readonly code = 'NOT_FOUND';

  constructor(
    readonly entity: string,
    readonly key: string,
  ) {
    super(
      `There is no ${entity} ${JSON.stringify(key)} here. Check the identifier, and that it belongs to this tenant.`,
    );
  }
}

/** A unique key is taken. `constraint` names the columns. */
export class AlreadyExistsError extends ColloquyError {
  readonly code = 'ALREADY_EXISTS';

  constructor(
    readonly constraint: string,
    options?: ErrorOptions,
  ) {
    super(`A row with the same ${constraint} exists already. Read that row, or choose another key.`, options);
  }
}

/** A reference names a row that does not exist in this tenant, or a row is still referenced and cannot go. */
export class ReferenceNotFoundError extends ColloquyError {
  readonly code = 'REFERENCE_NOT_FOUND';

  constructor(options?: ErrorOptions) {
    super(
      'A referenced row does not exist in this tenant, or the row is still referenced. Create what it refers to first.',
      options,
    );
  }
}

/** A unit of work was about to write a row of another tenant. Nothing was written. */
export class TenantMismatchError extends ColloquyError {
  readonly code = 'TENANT_MISMATCH';

  constructor(readonly entity: string) {
    super(`A unit of work of one tenant cannot write a ${entity} of another. Use the other tenant's own unit of work.`);
  }
}

/** The aggregate is in a state that does not allow the operation. */
export class InvalidStateError extends ColloquyError {
  readonly code = 'INVALID_STATE';

  constructor(
    readonly entity: string,
    readonly key: string,
    readonly state: string,
    readonly operation: string,
  ) {
    super(
      `${entity} ${JSON.stringify(key)} is ${state}; it cannot ${operation} any more. Read it again before deciding.`,
    );
  }
}

/** Somebody else changed the row since it was read. `current` is its version now, unless the row is gone. */
export class VersionConflictError extends ColloquyError {
  readonly code = 'VERSION_CONFLICT';

  constructor(
    readonly entity: string,
    readonly key: string,
    readonly current: number | undefined,
    options?: ErrorOptions,
  ) {
    const now = current === undefined ? '' : `; its version is ${String(current)} now`;
    super(
      `${entity} ${JSON.stringify(key)} was changed by somebody else since it was read${now}. Read it again and repeat the change.`,
      options,
    );
  }
}

/** The idempotency key was used before for another request. */
export class IdempotencyConflictError extends ColloquyError {
  readonly code = 'IDEMPOTENCY_CONFLICT';

  constructor(
    readonly idempotencyKey: string,
    readonly difference: string,
  ) {
    super(
      `Idempotency key ${JSON.stringify(idempotencyKey)} was used before with another ${difference}. Use a new key for a new request.`,
    );
  }
}

/** Concurrent transactions got into each other's way, again and again. Nothing was written; the unit of work may be run again. */
export class TransactionConflictError extends ColloquyError {
  readonly code = 'TRANSACTION_CONFLICT';

  constructor(options?: ErrorOptions) {
    super(
      'The unit of work met concurrent ones that change the same rows, and was rolled back each time it was tried. Nothing was written; try again later, or change fewer rows at once.',
      options,
    );
  }
}

/** The connection was lost while a commit was under way: the unit of work is stored as a whole, or not at all. */
export class OutcomeUnknownError extends ColloquyError {
  readonly code = 'OUTCOME_UNKNOWN';

  constructor(options?: ErrorOptions) {
    super(
      'The connection was lost while the database was committing: the unit of work was stored whole, or not at all. Read what it would have written before it is repeated; an append with an idempotency key may be repeated at once.',
      options,
    );
  }
}

/** One or more settings are wrong; all of them are in `problems`. */
export class ConfigurationError extends ColloquyError {
  readonly code = 'CONFIGURATION_INVALID';

  constructor(
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`The configuration is not valid: ${problems.join('; ')}.`, options);
  }
}

/** The database cannot be opened or reached. `database` is its description without secrets. */
export class DatabaseUnavailableError extends ColloquyError {
  readonly code = 'DATABASE_UNAVAILABLE';

  constructor(
    readonly database: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${database} cannot be opened: ${reason}. Check DATABASE_URL and that the file or server is there.`, options);
  }
}

/** Another connection holds the lock for longer than the busy timeout. The write did not happen and may be retried. */
export class DatabaseLockedError extends ColloquyError {
  readonly code = 'DATABASE_LOCKED';

  constructor(options?: ErrorOptions) {
    super(
      'The database is locked by another process and did not become free within the busy timeout. Nothing was written; try again, or end the process that holds it.',
      options,
    );
  }
}

/** A statement took longer than the database's limit for one, or was cancelled there. Nothing was written. */
export class DatabaseTimeoutError extends ColloquyError {
  readonly code = 'DATABASE_TIMEOUT';

  constructor(options?: ErrorOptions) {
    super(
      'The database cancelled a statement that took longer than statementTimeout. Nothing was written; try again, or raise the limit in DATABASE_URL.',
      options,
    );
  }
}

/** No space is left for the database. The write did not happen. */
export class DatabaseFullError extends ColloquyError {
  readonly code = 'DATABASE_FULL';

  constructor(options?: ErrorOptions) {
    super('The disk or the database is full. Nothing was written; make room, then try again.', options);
  }
}

/** The database, its file or its folder cannot be written; or this is a read that writes nothing. */
export class DatabaseReadOnlyError extends ColloquyError {
  readonly code = 'DATABASE_READ_ONLY';

  constructor(
    options?: ErrorOptions,
    advice = 'Check the permissions of the file and of its folder, or of the server.',
  ) {
    super(`The database is read-only here. ${advice}`, options);
  }
}

/** The file is not a database of this engine, or is damaged. */
export class DatabaseCorruptError extends ColloquyError {
  readonly code = 'DATABASE_CORRUPT';

  constructor(options?: ErrorOptions) {
    super('The file is not an SQLite database, or it is damaged. Check the path; restore it from a copy.', options);
  }
}

/** The engine refused a statement for a reason that has no class of its own; see `cause`. */
export class DatabaseFailedError extends ColloquyError {
  readonly code = 'DATABASE_FAILED';

  constructor(
    readonly nativeCode: string,
    options?: ErrorOptions,
  ) {
    super(`The database refused a statement (${nativeCode}). The unit of work was rolled back; see "cause".`, options);
  }
}

/** The schema of the database and the migrations of this code do not agree. */
export class SchemaMismatchError extends ColloquyError {
  readonly code = 'SCHEMA_MISMATCH';

  constructor(
    readonly database: string,
    readonly problem: 'newer' | 'changed' | 'pending' | 'foreign',
    readonly migrations: readonly string[],
    advice: string,
  ) {
    super(`The schema of ${database} does not fit this version of Colloquy: ${advice}`);
  }
}

/** An archive file is missing, is not a file, is damaged or has no known format. Nothing of it was written. */
export class ArchiveUnreadableError extends ColloquyError {
  readonly code = 'ARCHIVE_UNREADABLE';

  constructor(
    readonly file: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${file} cannot be imported: ${reason}.`, options);
  }
}

/** A strict import met a record it cannot take; the whole import was rolled back. */
export class ArchiveRejectedError extends ColloquyError {
  readonly code = 'ARCHIVE_REJECTED';

  constructor(
    readonly file: string,
    readonly line: number,
    readonly reason: string,
  ) {
    super(`${file}:${line}: ${reason}. The import was strict: nothing was written.`);
  }
}

/** A call inside a unit of work was still under way when the unit of work ended; whether it was committed is not known. */
export class UnitOfWorkEndedError extends ColloquyError {
  readonly code = 'UNIT_OF_WORK_ENDED';

  constructor(options?: ErrorOptions) {
    super(
      'The unit of work ended before this call inside it did. Await every call before its function returns.',
      options,
    );
  }
}

/** The persistence manager was closed, or was never opened. */
export class PersistenceClosedError extends ColloquyError {
  readonly code = 'PERSISTENCE_CLOSED';

  constructor() {
    super('This PersistenceManager is closed. Open another one with PersistenceManager.open().');
  }
}
