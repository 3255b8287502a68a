import type { Options, Transaction } from '@mikro-orm/core';
import type { Migration } from '@mikro-orm/migrations';
import type { AbstractSqlConnection, SqlEntityManager } from '@mikro-orm/sql';
import type { TermCondition } from '../search/query.js';
import type { PlanRunner } from './plan.js';

/** A migration that fills what it has made with what only the application can make of the rows that are there. */
export interface FillingMigration extends Migration {
  /** Runs right after its statements, in their transaction. */
  fill(connection: AbstractSqlConnection & BulkConnection, transaction?: Transaction): Promise<void>;
}

export type MigrationClass = new (
  ...parameters: ConstructorParameters<typeof Migration>
) => Migration & Partial<FillingMigration>;

/** A migration and the name under which it is recorded, such as `001-tenants`. */
export interface NamedMigration {
  readonly name: string;
  readonly class: MigrationClass;
}

/** An insert into one table, in the two forms that engines run fast: row by row, or a list of values for each column. */
export interface BulkInsert {
  /** Inserts one row; `?` stands for each value. */
  readonly statement: string;
  /** The table and its columns, quoted, and the columns' types in the same order. */
  readonly table: string;
  readonly columns: string;
  readonly columnTypes: readonly string[];
}

/** Stands for all tenants where else one is named. */
export const EVERY_TENANT = Symbol('every tenant');

/** Whose rows are to be reached: one tenant's, by its id; {@link EVERY_TENANT}'s; undefined where the rows are no tenant's. */
export type TenantLimit = string | typeof EVERY_TENANT | undefined;

/** How documents are found by their terms. */
export interface TermLookup {
  /** Selects the `document_id` of each document that meets a condition; its values are the tenant's id and the printed condition. */
  readonly select: string;
  /** A condition as the engine takes it. Terms are ASCII letters and digits, so nothing in them needs to be escaped. */
  print(condition: TermCondition): string;
}

/** The full-text index of the engine, over the terms of documents (see `search/terms.ts`). */
export interface TermIndex extends TermLookup {
  /** Takes rows of a tenant's id, a document's id, and its terms with spaces between them. */
  readonly insert: BulkInsert;
  /** Where an index learns of rows at their commit: how a transaction that has written some finds them, at the cost of a tenant's rows. */
  readonly uncommitted?: TermLookup;
}

/** What the connections of our engines can do beyond MikroORM's. */
export interface BulkConnection {
  readonly documentTerms: TermIndex;
  /** Runs plans beside the ORM. */
  readonly plans: PlanRunner;
  /** Whether one statement can change several tables, each by what the one before gave (data-modifying common table expressions). */
  readonly writesInOneStatement: boolean;
  /**
   * The end of a query that keeps what it finds from being changed by others until the transaction ends; empty where writing
   * transactions exclude each other.
   */
  readonly sharedLock: string;
  /** Inserts rows, whose values are in the order of the columns, inside a running transaction. */
  insertMany(insert: BulkInsert, rows: Iterable<readonly unknown[]>, transaction?: Transaction): Promise<void>;
  /**
   * Runs `work` on one connection while no other process migrates, and in one transaction as far as the engine's schema changes can be
   * part of one. An engine whose writing transactions exclude each other from their beginning needs no more than a transaction.
   */
  migrateAlone?<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * Has the database itself keep everything that the entity manager sends from now on, inside its transaction or without one, to
   * these rows. An engine that cannot has none.
   */
  limit?(em: SqlEntityManager, limit: TenantLimit): void;
  /**
   * Changes whenever another connection has committed anything, by which a cache knows that it is out of date; undefined while that
   * cannot be told. An engine that cannot tell at no cost has none.
   */
  readonly databaseVersion?: () => unknown;
  /** Whether each change of the schema commits by itself, so that a migration that fails has done a part of its work. */
  readonly keepsHalfMigrations?: boolean;
}

/** A part of the way to a distributed database; it is done whole or not at all. */
export interface DistributionStep {
  readonly what: 'set foreign keys aside' | 'copy to every node' | 'distribute' | 'add foreign key';
  /** The table, and the foreign key; or how many of them. */
  readonly object: string;
  readonly statements: readonly string[];
}

/** How the tables of a database are spread over several servers, in place. */
export interface Distribution {
  /** @throws ConfigurationError naming everything that stands against it, and what to type. */
  assertPossible(): Promise<void>;
  /** What remains to be done, in order. */
  remaining(shards?: number): Promise<readonly DistributionStep[]>;
  /** Does the first step that remains, while no other process does one or migrates; undefined where none remains. */
  takeStep(shards?: number): Promise<DistributionStep | undefined>;
}

/**
 * What a database engine gives beyond MikroORM's own driver: the one seam behind which engines differ. An engine is one file beside
 * this one, and one line in `select-engine.ts`.
 */
export interface Engine {
  readonly name: string;
  /** The database for people: engine, and path or host, without secrets. */
  readonly description: string;
  /** In the order in which they are applied. */
  readonly migrations: readonly NamedMigration[];
  /** The part of MikroORM's configuration that depends on the engine. */
  readonly options: Partial<Options>;
  /**
   * Finds out, once the schema is there, whether the database can be used as the URL says.
   *
   * @throws ConfigurationError saying what to type.
   */
  assertUsable?(em: SqlEntityManager): Promise<void>;
  /** Spreads the database over several servers; an engine that cannot has none. */
  distribution?(em: SqlEntityManager): Distribution;
  /** The size of the whole database in bytes. */
  databaseSize(em: SqlEntityManager): Promise<number>;
  /** Whether the database can have copies on other servers that reads are sent to. */
  readonly takesReplicas: boolean;
  /**
   * The same for two URLs of one database, however they write it; undefined where only this connection reaches it. The description
   * stands for it where an engine cannot tell.
   */
  identity?(em: SqlEntityManager): Promise<string | undefined>;
  /** Whether concurrent transactions can fail for no fault of their own, so that a unit of work is to be run again. */
  readonly retriesConflicts: boolean;
  /** Whether there is a database already; for a server always true. It connects to nothing. */
  exists(): boolean;
  /** @throws DatabaseUnavailableError for what can be known before connecting, such as a folder that does not exist. */
  assertReachable(): void;
  /** An error of the driver as one of `errors.ts`; any other error comes back as it is. */
  translateError(error: unknown): unknown;
}
