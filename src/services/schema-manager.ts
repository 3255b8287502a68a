import { MikroORM } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type ConfigurationInput, configuredLanguage } from '../config.js';
import type { Distribution, DistributionStep, Engine } from '../database/engine.js';
import { Migrator, type MigrationStatus } from '../database/migrator.js';
import { ConfigurationError, localize, SchemaMismatchError } from '../errors.js';
import type { Language } from '../messages/catalog.js';
import { createRuntime, installRuntime, type Sources } from '../runtime.js';
import { configuredEngine } from './orm-engine.js';
import { createOrmOptions } from './orm-options.js';

export interface SchemaStatus {
  /** The database for people, without secrets. */
  readonly database: string;
  /** False for a file that would be made by `up`. */
  readonly exists: boolean;
  readonly migrations: readonly MigrationStatus[];
}

export interface DistributeOptions {
  /** How many parts the tables are split into; what Citus is set to, 32 by its own default, unless given. */
  readonly shards?: number | undefined;
  /** Ends it between two steps. */
  readonly signal?: AbortSignal;
  /** Called after each step, with how many were done of how many. */
  readonly onStep?: (step: DistributionStep, done: number, total: number) => void;
}

/** Brings the schema of a database up or down, and tells how it stands, without opening the database for use. */
export class SchemaManager {
  readonly #orm: MikroORM;
  readonly #engine: Engine;
  readonly #language: Language;

  private constructor(orm: MikroORM, engine: Engine, language: Language) {
    this.#orm = orm;
    this.#engine = engine;
    this.#language = language;
  }

  /** Takes the database as it is; it connects, and makes a missing file, only when something asks for it. */
  static async open(options: ConfigurationInput & Partial<Sources> = {}): Promise<SchemaManager> {
    const engine = await configuredEngine(options);
    const language = configuredLanguage(options);
    engine.assertReachable();
    const orm = await MikroORM.init(createOrmOptions(engine));
    installRuntime(orm.config, createRuntime(options));
    return new SchemaManager(orm, engine, language);
  }

  get database(): string {
    return this.#engine.description;
  }

  /** How the migrations of this code and the record in the database agree. It writes nothing and makes no file. */
  async status(): Promise<SchemaStatus> {
    return this.#guard(async () => {
      const exists = this.#engine.exists();
      const migrations: MigrationStatus[] = exists
        ? await this.#connected((migrator) => migrator.status())
        : this.#engine.migrations.map(({ name }) => ({ name, state: 'pending' }));
      return { database: this.database, exists, migrations };
    });
  }

  /**
   * Applies every pending migration in one transaction and returns their names.
   *
   * @throws SchemaMismatchError when the database is newer than this code, was migrated by edited files, or is not Colloquy's.
   */
  async up(): Promise<string[]> {
    return this.#guard(() =>
      this.#connected(async (migrator) => {
        await migrator.assertUsable(this.#engine);
        return (await migrator.up()).map(({ name }) => name);
      }),
    );
  }

  /**
   * Reverts the last migration, or all after the one named; `0` reverts all of them. What the tables held is lost.
   *
   * @throws SchemaMismatchError as for {@link up}.
   */
  async down(to?: string): Promise<string[]> {
    return this.#guard(() =>
      this.#connected(async (migrator) => {
        await migrator.assertUsable(this.#engine);
        const options = to === undefined ? undefined : { to: to === '0' ? (0 as const) : to };
        return (await migrator.down(options)).map(({ name }) => name);
      }),
    );
  }

  /**
   * What {@link distribute} would do, in order.
   *
   * @throws as {@link distribute}
   */
  async distributionPlan(options: Pick<DistributeOptions, 'shards'> = {}): Promise<readonly DistributionStep[]> {
    return this.#guard(() =>
      this.#connected(async (migrator) => (await this.#distribution(migrator)).remaining(options.shards)),
    );
  }

  /**
   * Spreads the tables over the nodes of a cluster, in place: what carries a tenant is split by it, what tenants share is copied to every
   * node. It goes on where an earlier run ended. Nothing else should write meanwhile: foreign keys are made again at the end.
   *
   * @throws ConfigurationError where the database cannot be distributed, SchemaMismatchError where migrations are pending.
   */
  async distribute({ shards, signal, onStep }: DistributeOptions = {}): Promise<readonly DistributionStep[]> {
    return this.#guard(() =>
      this.#connected(async (migrator) => {
        const distribution = await this.#distribution(migrator);
        const { length: total } = await distribution.remaining(shards);
        const taken: DistributionStep[] = [];
        for (;;) {
          signal?.throwIfAborted();
          const step = await distribution.takeStep(shards);
          if (!step) return taken;
          taken.push(step);
          onStep?.(step, taken.length, total);
        }
      }),
    );
  }

  async #distribution(migrator: Migrator): Promise<Distribution> {
    const distribution = this.#engine.distribution?.(this.#orm.em as unknown as SqlEntityManager);
    if (!distribution) {
      throw new ConfigurationError([
        `only PostgreSQL with the extension Citus can be distributed, not ${this.database}`,
      ]);
    }
    const pending = await migrator.assertUsable(this.#engine);
    if (pending.length > 0) throw new SchemaMismatchError(this.database, 'pending', pending);
    await distribution.assertPossible();
    return distribution;
  }

  /** The statements that would make the tables what the entities describe; empty when they agree. */
  async differences(): Promise<string[]> {
    return this.#guard(() =>
      this.#connected(async () => {
        const sql = await this.#orm.schema.getUpdateSchemaSQL({ wrap: false });
        return sql.split(/;\n/).flatMap((statement) => statement.trim() || []);
      }),
    );
  }

  async close(): Promise<void> {
    await this.#orm.close(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #connected<T>(work: (migrator: Migrator) => Promise<T>): Promise<T> {
    await this.#orm.connect();
    return work(Migrator.of(this.#orm));
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw localize(this.#engine.translateError(error), this.#language);
    }
  }
}
