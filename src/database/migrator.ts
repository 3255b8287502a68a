import { createHash } from 'node:crypto';
import type { IMigratorStorage, MigrateOptions, MigrationInfo, MikroORM, Transaction } from '@mikro-orm/core';
import { type Migration, MigrationRunner, Migrator as OrmMigrator } from '@mikro-orm/migrations';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { MigrationInterruptedError, SchemaMismatchError } from '../errors.js';
import { runtimeOf } from '../runtime.js';
import type { BulkConnection, Engine, FillingMigration, NamedMigration } from './engine.js';
import { ChecksumMigrationStorage, MIGRATIONS_TABLE } from './migration-storage.js';

/**
 * How a migration of the code and the record in the database agree:
 * `applied`; `pending`, not applied yet; `changed`, edited since it was applied; `missing`, applied but unknown to this code.
 */
export type MigrationState = 'applied' | 'pending' | 'changed' | 'missing';

export interface MigrationStatus {
  readonly name: string;
  readonly state: MigrationState;
  readonly appliedAt?: Date;
}

/**
 * MikroORM's migrator with checksums and a status. All pending migrations run in one transaction, which begins with the engine's
 * lock and reads the record after that: of several processes that start together one migrates, the others find it done.
 * The class must be called Migrator: by that name MikroORM sees that it need not register its own.
 */
export class Migrator extends OrmMigrator {
  static override register(orm: MikroORM): void {
    orm.config.registerExtension('@mikro-orm/migrator', () => new Migrator(orm.em as never));
  }

  static of(orm: MikroORM): Migrator {
    return orm.config.getExtension<Migrator>('@mikro-orm/migrator') as Migrator;
  }

  get #records(): ChecksumMigrationStorage {
    return this.storage as ChecksumMigrationStorage;
  }

  protected override createStorage(): IMigratorStorage {
    const context = {
      checksumOf: (name: string) => this.#checksumOf(name),
      now: () => runtimeOf(this.em).clock.now(),
    };
    return new ChecksumMigrationStorage(context, this.driver, this.options);
  }

  protected override createRunner(): MigrationRunner {
    return new FillingRunner(this.driver, this.options, this.config);
  }

  /** Every migration of the code and of the record, by name. It writes nothing. */
  async status(): Promise<MigrationStatus[]> {
    const applied = new Map((await this.#records.applied()).map((record) => [record.name, record]));
    const known = await Promise.all(
      this.#known.map(async ({ name }): Promise<MigrationStatus> => {
        const record = applied.get(name);
        if (!record) return { name, state: 'pending' };
        const state = record.checksum === (await this.#checksumOf(name)) ? 'applied' : 'changed';
        return { name, state, appliedAt: record.appliedAt };
      }),
    );
    const names = new Set(this.#known.map(({ name }) => name));
    const missing = [...applied.values()]
      .filter(({ name }) => !names.has(name))
      .map(({ name, appliedAt }): MigrationStatus => ({ name, state: 'missing', appliedAt }));
    return [...known, ...missing].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Refuses a database that this code must not touch, and tells what is pending.
   *
   * @throws SchemaMismatchError when the database is newer than the code, an applied migration was edited, or the tables are not
   *   Colloquy's.
   */
  async assertUsable(engine: Engine): Promise<string[]> {
    const status = await this.status();
    const named = (state: MigrationState) => status.filter((entry) => entry.state === state).map(({ name }) => name);
    const [missing, changed, pending] = [named('missing'), named('changed'), named('pending')];
    if (missing.length > 0) {
      throw new SchemaMismatchError(engine.description, 'newer', missing);
    }
    if (changed.length > 0) {
      throw new SchemaMismatchError(engine.description, 'changed', changed);
    }
    if (pending.length === status.length && (await this.#holdsForeignTables())) {
      throw new SchemaMismatchError(engine.description, 'foreign', pending);
    }
    return pending;
  }

  /**
   * What tells this database from others, however its server is named and whenever it was started: when it was made. A copy of the
   * whole database has the same.
   */
  async origin(): Promise<string> {
    const [first] = await this.#records.applied();
    return `${first?.name ?? ''} ${first?.appliedAt.toISOString() ?? ''}`;
  }

  /**
   * Whether there is a table of one of the entities' names, and no record of migrations. The record is asked for last: another
   * process that has just migrated committed both together. Where it could not, an empty record is the trace of one that has begun.
   */
  async #holdsForeignTables(): Promise<boolean> {
    for (const { tableName } of this.em.getMetadata().getAll().values()) {
      if (!tableName || !(await this.#records.tableExists(tableName))) continue;
      if (this.#bulk.keepsHalfMigrations) return !(await this.#records.tableExists(MIGRATIONS_TABLE));
      return (await this.#records.applied()).length === 0;
    }
    return false;
  }

  get #bulk(): BulkConnection {
    return this.driver.getConnection() as unknown as BulkConnection;
  }

  protected override async runMigrations(
    method: 'up' | 'down',
    options?: string | string[] | MigrateOptions,
  ): Promise<MigrationInfo[]> {
    // The record's table is made before, in a transaction of its own.
    await this.init();
    const given = typeof options === 'string' || Array.isArray(options) ? { migrations: [options].flat() } : options;
    const run = (transaction: Transaction) => super.runMigrations(method, { ...given, transaction });
    const bulk = this.#bulk;
    const result = await this.#naming(method, () =>
      bulk.migrateAlone ? bulk.migrateAlone(run) : this.driver.getConnection().transactional(run),
    );
    // A database taken down to nothing shall hold nothing, the record included.
    if (method === 'down' && (await this.#records.applied()).length === 0) await this.#records.dropTable();
    return result;
  }

  /** Says which migration failed where that matters: on an engine that keeps what it had done. */
  async #naming<T>(direction: 'up' | 'down', run: () => Promise<T>): Promise<T> {
    let current: string | undefined;
    const begin = ({ name }: MigrationInfo): void => void (current = name);
    const end = (): void => void (current = undefined);
    this.on('migrating', begin).on('reverting', begin).on('migrated', end).on('reverted', end);
    try {
      return await run();
    } catch (error) {
      if (current === undefined || !this.#bulk.keepsHalfMigrations) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new MigrationInterruptedError(current, direction, reason, { cause: error });
    } finally {
      this.off('migrating', begin).off('reverting', begin).off('migrated', end).off('reverted', end);
    }
  }

  get #known(): readonly NamedMigration[] {
    return (this.options.migrationsList ?? []) as unknown as readonly NamedMigration[];
  }

  async #checksumOf(name: string): Promise<string> {
    const migration = this.#known.find((known) => known.name === name);
    if (!migration) return '';
    const instance = new migration.class(this.driver, this.config);
    await instance.up();
    return createHash('sha256').update(JSON.stringify(instance.getQueries())).digest('hex');
  }
}

/** Runs migrations that also fill what they have made. */
class FillingRunner extends MigrationRunner {
  override async run(
    migration: Migration & Partial<FillingMigration>,
    method: 'up' | 'down',
    afterRun?: (transaction?: Transaction) => Promise<void>,
  ): Promise<void> {
    await super.run(migration, method, async (transaction) => {
      const connection = this.driver.getConnection() as AbstractSqlConnection & BulkConnection;
      if (method === 'up') await migration.fill?.(connection, transaction);
      await afterRun?.(transaction);
    });
  }
}
