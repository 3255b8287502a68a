import type { Transaction } from '@mikro-orm/core';
import { MigrationStorage, type MigrationRow } from '@mikro-orm/migrations';
import type { BulkConnection } from './engine.js';

export const MIGRATIONS_TABLE = 'schema_migrations';

export interface AppliedMigration {
  readonly name: string;
  /** SHA-256 of the statements that were run; tells whether a migration was edited after it had been applied. */
  readonly checksum: string;
  readonly appliedAt: Date;
}

interface StorageContext {
  readonly checksumOf: (name: string) => Promise<string>;
  readonly now: () => Date;
}

/**
 * MikroORM's record of applied migrations, with a checksum each. The table is made with `if not exists`, so that processes that
 * start together do not trip over each other, and has no engine's own types.
 */
export class ChecksumMigrationStorage extends MigrationStorage {
  readonly #context: StorageContext;
  #transaction?: Transaction;

  constructor(context: StorageContext, ...parameters: ConstructorParameters<typeof MigrationStorage>) {
    super(...parameters);
    this.#context = context;
  }

  override async ensureTable(): Promise<void> {
    const connection = this.driver.getConnection();
    const bulk = connection as unknown as BulkConnection;
    if (this.#transaction || !bulk.migrateAlone) return this.#createTable();
    // A server may let two processes see that there is no such table, and then fail the one that makes it last.
    await bulk.migrateAlone((transaction) => this.#createTable(transaction));
  }

  async #createTable(transaction = this.#transaction): Promise<void> {
    const statement = `create table if not exists ${MIGRATIONS_TABLE} (name varchar(190) not null primary key, checksum varchar(64) not null, executed_at varchar(30) not null)`;
    await this.#run(statement, [], transaction);
  }

  override async logMigration({ name }: { name: string }, transaction?: Transaction): Promise<void> {
    const values = [name, await this.#context.checksumOf(name), this.#context.now().toISOString()];
    const statement = `insert into ${MIGRATIONS_TABLE} (name, checksum, executed_at) values (?, ?, ?)`;
    await this.#run(statement, values, transaction);
  }

  override async unlogMigration({ name }: { name: string }, transaction?: Transaction): Promise<void> {
    await this.#run(`delete from ${MIGRATIONS_TABLE} where name = ?`, [name], transaction);
  }

  override async getExecutedMigrations(): Promise<MigrationRow[]> {
    await this.ensureTable();
    return (await this.applied()).map(({ name, appliedAt }, index) => ({
      id: index + 1,
      name,
      executed_at: appliedAt,
    }));
  }

  /** Reads the record without making its table; empty where there is none. */
  async applied(): Promise<AppliedMigration[]> {
    if (!(await this.tableExists(MIGRATIONS_TABLE))) return [];
    const rows = await this.#run<{ name: string; checksum: string; executed_at: string }>(
      `select name, checksum, executed_at from ${MIGRATIONS_TABLE} order by name`,
    );
    return rows.map((row) => ({ name: row.name, checksum: row.checksum, appliedAt: new Date(row.executed_at) }));
  }

  async tableExists(name: string): Promise<boolean> {
    const helper = this.driver.getPlatform().getSchemaHelper();
    return (await helper?.tableExists(this.driver.getConnection(), name, undefined, this.#transaction)) ?? false;
  }

  async dropTable(): Promise<void> {
    await this.#run(`drop table if exists ${MIGRATIONS_TABLE}`);
  }

  override setMasterMigration(transaction: Transaction): void {
    super.setMasterMigration(transaction);
    this.#transaction = transaction;
  }

  override unsetMasterMigration(): void {
    super.unsetMasterMigration();
    this.#transaction = undefined;
  }

  async #run<Row extends object>(sql: string, values: unknown[] = [], transaction = this.#transaction): Promise<Row[]> {
    return this.driver.getConnection().execute<Row[]>(sql, values, 'all', transaction);
  }
}
