import { ruleMessage } from './messages/broken-rule.js';
import type { Catalog, Language } from './messages/catalog.js';
import { chinese } from './messages/chinese.js';
import { english } from './messages/english.js';
import type { ErrorCode, ErrorFields } from './messages/error-fields.js';
import { PROBLEMS } from './messages/problems.js';

export type { ErrorCode, ErrorFields };

/**
 * The closed list of errors that Colloquy throws. Each class has a stable `code`, structured fields and a message that says what
 * happened and what to do next. Native driver errors are translated at one border (`database/`, a file an engine) and kept as
 * `cause`. Messages never carry the content of a row, only identifiers, limits and kinds.
 */

/** One broken rule: where (`messages.3.content`), which rule, what it asks, and the kind of value found, never the value. */
export interface ValidationIssue {
  readonly path: string;
  readonly rule: string;
  readonly message: string;
  readonly kind: string;
  /** The rule's limits, such as the least and the greatest length; absent where it has none. */
  readonly constraints?: readonly unknown[];
}

/** How a row of a copy and its original disagree: which properties are different, never their values. */
export interface RowDifference {
  readonly table: string;
  readonly id: string;
  /** At the target; `unexpected` is what the source does not have. */
  readonly problem: 'missing' | 'unexpected' | 'different' | 'invalid';
  readonly properties: readonly string[];
}

const CATALOGS: Readonly<Record<Language, Catalog>> = { en: english, zh: chinese };

/** An RFC 9457 problem document; the error's own fields are its extension members. */
export interface ProblemDocument extends Readonly<Record<string, unknown>> {
  /** `urn:colloquy:error:` and the code in lower case. */
  readonly type: string;
  readonly title: string;
  /** The HTTP status that fits. */
  readonly status: number;
  /** The message. */
  readonly detail: string;
  readonly code: ErrorCode;
}

/** What every error of Colloquy has in common: branch on `code`, show `message`, log `cause`. */
export abstract class ColloquyError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;

  constructor(code: Code, fields: ErrorFields[Code], options?: ErrorOptions) {
    super(english.errors[code](fields), options);
    this.code = code;
    this.name = new.target.name;
  }

  /** Puts the message into a language. */
  localize(language: Language): this {
    const say = CATALOGS[language].errors[this.code] as (fields: unknown) => string;
    this.message = say(this);
    return this;
  }

  toJSON(): ProblemDocument {
    const { name: _name, cause: _cause, code, message: _message, ...fields } = this as ColloquyError & object;
    const [status, title] = PROBLEMS[code];
    const type = `urn:colloquy:error:${code.toLowerCase().replaceAll('_', '-')}`;
    return { type, title, status, detail: this.message, code, ...fields };
  }
}

/** An error of ours with its message in a language; any other error as it is. */
export function localize(error: unknown, language: Language): unknown {
  return error instanceof ColloquyError ? error.localize(language) : error;
}

function localizeIssues(issues: readonly ValidationIssue[], language: Language): ValidationIssue[] {
  const catalog = CATALOGS[language];
  return issues.map((issue) => ({ ...issue, message: ruleMessage(catalog, issue.rule, issue.constraints) }));
}

/** The input breaks one or more rules; all of them are in `issues`. Nothing was written. */
export class ValidationError extends ColloquyError<'VALIDATION_FAILED'> {
  constructor(
    readonly entity: string,
    readonly issues: readonly ValidationIssue[],
  ) {
    super('VALIDATION_FAILED', { entity, issues });
  }

  override localize(language: Language): this {
    Object.assign(this, { issues: localizeIssues(this.issues, language) });
    return super.localize(language);
  }
}

/** No such row in this tenant. */
export class NotFoundError extends ColloquyError<'NOT_FOUND'> {
  constructor(
    readonly entity: string,
    readonly key: string,
  ) {
    super('NOT_FOUND', { entity, key });
  }
}

/** A unique key is taken. `constraint` names the columns. */
export class AlreadyExistsError extends ColloquyError<'ALREADY_EXISTS'> {
  constructor(
    readonly constraint: string,
    options?: ErrorOptions,
  ) {
    super('ALREADY_EXISTS', { constraint }, options);
  }
}

/** A reference names a row that does not exist in this tenant, or a row is still referenced and cannot go. */
export class ReferenceNotFoundError extends ColloquyError<'REFERENCE_NOT_FOUND'> {
  constructor(options?: ErrorOptions) {
    super('REFERENCE_NOT_FOUND', {}, options);
  }
}

/** A unit of work was about to write a row of another tenant. Nothing was written. */
export class TenantMismatchError extends ColloquyError<'TENANT_MISMATCH'> {
  constructor(
    readonly entity: string,
    options?: ErrorOptions,
  ) {
    super('TENANT_MISMATCH', { entity }, options);
  }
}

/** A way to the database that cannot be kept to the rules, such as SQL in a tenant's unit of work. Nothing was sent. */
export class StatementRefusedError extends ColloquyError<'STATEMENT_REFUSED'> {
  constructor(
    readonly statement: string,
    readonly reason: ErrorFields['STATEMENT_REFUSED']['reason'],
  ) {
    super('STATEMENT_REFUSED', { statement, reason });
  }
}

/** The tenant is suspended: its rows can be read, not written. */
export class TenantSuspendedError extends ColloquyError<'TENANT_SUSPENDED'> {
  constructor(readonly tenant: string) {
    super('TENANT_SUSPENDED', { tenant });
  }
}

/** The tenant was deleted: its rows can be neither read nor written. */
export class TenantDeletedError extends ColloquyError<'TENANT_DELETED'> {
  constructor(readonly tenant: string) {
    super('TENANT_DELETED', { tenant });
  }
}

/** The tenant would have more than its quota allows; nothing of the unit of work was written. */
export class QuotaExceededError extends ColloquyError<'QUOTA_EXCEEDED'> {
  constructor(
    readonly tenant: string,
    /** Which one, such as `messagesPerMonth`. */
    readonly quota: string,
    readonly limit: number,
    /** What there would be then. */
    readonly needed: number,
  ) {
    super('QUOTA_EXCEEDED', { tenant, quota, limit, needed });
  }
}

/** The aggregate is in a state that does not allow the operation. */
export class InvalidStateError extends ColloquyError<'INVALID_STATE'> {
  constructor(
    readonly entity: string,
    readonly key: string,
    readonly state: string,
    readonly operation: string,
  ) {
    super('INVALID_STATE', { entity, key, state, operation });
  }
}

/** Somebody else changed the row since it was read. `current` is its version now, unless the row is gone. */
export class VersionConflictError extends ColloquyError<'VERSION_CONFLICT'> {
  constructor(
    readonly entity: string,
    readonly key: string,
    readonly current: number | undefined,
    options?: ErrorOptions,
  ) {
    super('VERSION_CONFLICT', { entity, key, current }, options);
  }
}

/** The idempotency key was used before for another request. `difference` is the property that differs where it is known, else `request`. */
export class IdempotencyConflictError extends ColloquyError<'IDEMPOTENCY_CONFLICT'> {
  constructor(
    readonly idempotencyKey: string,
    readonly difference: string,
  ) {
    super('IDEMPOTENCY_CONFLICT', { idempotencyKey, difference });
  }
}

/** Concurrent transactions got into each other's way, again and again. Nothing was written; the unit of work may be run again. */
export class TransactionConflictError extends ColloquyError<'TRANSACTION_CONFLICT'> {
  constructor(options?: ErrorOptions) {
    super('TRANSACTION_CONFLICT', {}, options);
  }
}

/** The connection was lost while a commit was under way: the unit of work is stored as a whole, or not at all. */
export class OutcomeUnknownError extends ColloquyError<'OUTCOME_UNKNOWN'> {
  constructor(options?: ErrorOptions) {
    super('OUTCOME_UNKNOWN', {}, options);
  }
}

/** One or more settings are wrong; all of them are in `problems`. */
export class ConfigurationError extends ColloquyError<'CONFIGURATION_INVALID'> {
  constructor(
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    super('CONFIGURATION_INVALID', { problems }, options);
  }
}

/** The database cannot be opened or reached. `database` is its description without secrets. */
export class DatabaseUnavailableError extends ColloquyError<'DATABASE_UNAVAILABLE'> {
  constructor(
    readonly database: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super('DATABASE_UNAVAILABLE', { database, reason }, options);
  }
}

/** The Redis that several processes cache in cannot be reached, and what was asked for is about it alone: no other call fails so. */
export class CacheUnavailableError extends ColloquyError<'CACHE_UNAVAILABLE'> {
  constructor(options?: ErrorOptions) {
    super('CACHE_UNAVAILABLE', {}, options);
  }
}

/** Another connection holds the lock for longer than the busy timeout. The write did not happen and may be retried. */
export class DatabaseLockedError extends ColloquyError<'DATABASE_LOCKED'> {
  constructor(options?: ErrorOptions) {
    super('DATABASE_LOCKED', {}, options);
  }
}

/** A statement took longer than the database's limit for one, or was cancelled there. Nothing was written. */
export class DatabaseTimeoutError extends ColloquyError<'DATABASE_TIMEOUT'> {
  constructor(options?: ErrorOptions) {
    super('DATABASE_TIMEOUT', {}, options);
  }
}

/** No space is left for the database. The write did not happen. */
export class DatabaseFullError extends ColloquyError<'DATABASE_FULL'> {
  constructor(options?: ErrorOptions) {
    super('DATABASE_FULL', {}, options);
  }
}

/** A statement is larger than the database takes at once. It was not sent. `limit` is in bytes, where it is known. */
export class DatabaseLimitError extends ColloquyError<'DATABASE_LIMIT'> {
  constructor(
    readonly setting: string,
    readonly limit: number | undefined,
    options?: ErrorOptions,
  ) {
    super('DATABASE_LIMIT', { setting, limit }, options);
  }
}

/** The database, its file or its folder cannot be written; or this is a read that writes nothing. */
export class DatabaseReadOnlyError extends ColloquyError<'DATABASE_READ_ONLY'> {
  constructor(
    readonly reason: 'database' | 'read' | 'replica read' = 'database',
    options?: ErrorOptions,
  ) {
    super('DATABASE_READ_ONLY', { reason }, options);
  }
}

/** The file is not a database of this engine, or is damaged. */
export class DatabaseCorruptError extends ColloquyError<'DATABASE_CORRUPT'> {
  constructor(options?: ErrorOptions) {
    super('DATABASE_CORRUPT', {}, options);
  }
}

/** The engine refused a statement for a reason that has no class of its own; see `cause`. */
export class DatabaseFailedError extends ColloquyError<'DATABASE_FAILED'> {
  constructor(
    readonly nativeCode: string,
    options?: ErrorOptions,
  ) {
    super('DATABASE_FAILED', { nativeCode }, options);
  }
}

/** The schema of the database and the migrations of this code do not agree. */
export class SchemaMismatchError extends ColloquyError<'SCHEMA_MISMATCH'> {
  constructor(
    readonly database: string,
    readonly problem: 'newer' | 'changed' | 'pending' | 'foreign',
    readonly migrations: readonly string[],
  ) {
    super('SCHEMA_MISMATCH', { database, problem, migrations });
  }
}

/** A migration stopped half-way on a database that cannot take back changes of its schema. It may be run again from its beginning. */
export class MigrationInterruptedError extends ColloquyError<'MIGRATION_INTERRUPTED'> {
  constructor(
    readonly migration: string,
    readonly direction: 'up' | 'down',
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super('MIGRATION_INTERRUPTED', { migration, direction, reason }, options);
  }
}

/** An archive file is missing, is not a file, is damaged or has no known format. Nothing of it was written. */
export class ArchiveUnreadableError extends ColloquyError<'ARCHIVE_UNREADABLE'> {
  constructor(
    readonly file: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super('ARCHIVE_UNREADABLE', { file, reason }, options);
  }
}

/** A strict import met a record it cannot take; the whole import was rolled back. */
export class ArchiveRejectedError extends ColloquyError<'ARCHIVE_REJECTED'> {
  constructor(
    readonly file: string,
    readonly line: number,
    readonly reason: string,
  ) {
    super('ARCHIVE_REJECTED', { file, line, reason });
  }
}

/** A tenant cannot be copied, because of what the target or the source has. */
export class CopyRefusedError extends ColloquyError<'COPY_REFUSED'> {
  constructor(
    readonly tenant: string,
    readonly reason: 'other tenant' | 'other rows' | 'invalid row',
    /** Some of the rows, where there are many. */
    readonly differences: readonly RowDifference[],
    /** The rules that an invalid row breaks. */
    readonly issues: readonly ValidationIssue[] = [],
  ) {
    super('COPY_REFUSED', { tenant, reason, differences, issues });
  }

  override localize(language: Language): this {
    Object.assign(this, { issues: localizeIssues(this.issues, language) });
    return super.localize(language);
  }
}

/** A call inside a unit of work was still under way when the unit of work ended; whether it was committed is not known. */
export class UnitOfWorkEndedError extends ColloquyError<'UNIT_OF_WORK_ENDED'> {
  constructor(options?: ErrorOptions) {
    super('UNIT_OF_WORK_ENDED', {}, options);
  }
}

/** The persistence manager was closed, or was never opened. */
export class PersistenceClosedError extends ColloquyError<'PERSISTENCE_CLOSED'> {
  constructor() {
    super('PERSISTENCE_CLOSED', {});
  }
}
