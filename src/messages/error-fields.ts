import type { RowDifference, ValidationIssue } from '../errors.js';

interface Row {
  readonly entity: string;
  readonly key: string;
}
type Nothing = object;

/** What each error carries beside code and message. */
export interface ErrorFields {
  readonly VALIDATION_FAILED: { readonly entity: string; readonly issues: readonly ValidationIssue[] };
  readonly NOT_FOUND: Row;
  readonly ALREADY_EXISTS: { readonly constraint: string };
  readonly REFERENCE_NOT_FOUND: Nothing;
  readonly TENANT_MISMATCH: { readonly entity: string };
  readonly STATEMENT_REFUSED: {
    readonly statement: string;
    readonly reason: 'sql' | 'tenant' | 'filter' | 'printed' | 'transaction';
  };
  readonly TENANT_SUSPENDED: { readonly tenant: string };
  readonly TENANT_DELETED: { readonly tenant: string };
  readonly QUOTA_EXCEEDED: {
    readonly tenant: string;
    readonly quota: string;
    readonly limit: number;
    readonly needed: number;
  };
  readonly INVALID_STATE: Row & { readonly state: string; readonly operation: string };
  readonly VERSION_CONFLICT: Row & { readonly current: number | undefined };
  readonly IDEMPOTENCY_CONFLICT: { readonly idempotencyKey: string; readonly difference: string };
  readonly TRANSACTION_CONFLICT: Nothing;
  readonly OUTCOME_UNKNOWN: Nothing;
  readonly CONFIGURATION_INVALID: { readonly problems: readonly string[] };
  readonly DATABASE_UNAVAILABLE: { readonly database: string; readonly reason: string };
  readonly CACHE_UNAVAILABLE: Nothing;
  readonly DATABASE_LOCKED: Nothing;
  readonly DATABASE_TIMEOUT: Nothing;
  readonly DATABASE_FULL: Nothing;
  readonly DATABASE_LIMIT: { readonly setting: string; readonly limit: number | undefined };
  readonly DATABASE_READ_ONLY: { readonly reason: 'database' | 'read' | 'replica read' };
  readonly DATABASE_CORRUPT: Nothing;
  readonly DATABASE_FAILED: { readonly nativeCode: string };
  readonly SCHEMA_MISMATCH: {
    readonly database: string;
    readonly problem: 'newer' | 'changed' | 'pending' | 'foreign';
    readonly migrations: readonly string[];
  };
  readonly MIGRATION_INTERRUPTED: {
    readonly migration: string;
    readonly direction: 'up' | 'down';
    readonly reason: string;
  };
  readonly ARCHIVE_UNREADABLE: { readonly file: string; readonly reason: string };
  readonly ARCHIVE_REJECTED: { readonly file: string; readonly line: number; readonly reason: string };
  readonly COPY_REFUSED: {
    readonly tenant: string;
    readonly reason: 'other tenant' | 'other rows' | 'invalid row';
    readonly differences: readonly RowDifference[];
    readonly issues: readonly ValidationIssue[];
  };
  readonly UNIT_OF_WORK_ENDED: Nothing;
  readonly PERSISTENCE_CLOSED: Nothing;
}

export type ErrorCode = keyof ErrorFields;
