import { MikroORM } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type ConfigurationInput, configuredCache, configuredLanguage } from '../config.js';
import type { Engine } from '../database/engine.js';
import { Migrator } from '../database/migrator.js';
import { connectionOf } from '../repositories/statement.js';
import { DatabaseUnavailableError, localize, SchemaMismatchError } from '../errors.js';
import type { Language } from '../messages/catalog.js';
import { createRuntime, installRuntime, type Runtime, type Sources } from '../runtime.js';
import { Appends } from './appends.js';
import { type CopyEnd, type CopyOptions, type CopyReport, copyTenants } from './copy.js';
import { CachedReads } from './cached-reads.js';
import { CacheService } from './cache.service.js';
import { CacheWarmer } from './cache-warmer.js';
import type { CachePolicies, CacheSettings } from './cached-kinds.js';
import type { EntityCache } from './entity-cache.js';
import { configuredPolicies, openCache } from './open-cache.js';
import { configuredEngine } from './orm-engine.js';
import { createOrmOptions } from './orm-options.js';
import { readStats, type Stats } from './stats.service.js';
import { TenantContext } from './tenant-context.js';
import { TenantDirectory } from './tenant-directory.js';
import { TenantScope, type TenantScopeParts } from './tenant-scope.js';
import { TenantsService } from './tenants.service.js';
import { Transactions } from './transactions.js';

export interface OpenOptions extends ConfigurationInput, Partial<Sources> {
  /** How what is read is cached, by its kind; false for not at all, as with COLLOQUY_CACHE=off. */
  readonly cache?: CacheSettings | false;
  /** Applies pending migrations; true unless given. With false, a database that lacks some is refused, and none is made. */
  readonly migrate?: boolean;
}

interface Parts {
  readonly orm: MikroORM;
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly language: Language;
  readonly cache: EntityCache;
  readonly policies: CachePolicies;
}

/**
 * The way in: opens a database, brings its schema up to date and hands out tenants. This is the composition root, where engine,
 * ORM, sources and services are put together.
 */
export class PersistenceManager {
  readonly tenants: TenantsService;
  readonly cache: CacheService;
  readonly #orm: MikroORM;
  readonly #engine: Engine;
  readonly #runtime: Runtime;
  readonly #transactions: Transactions;
  readonly #scopes: TenantScopeParts;
  readonly #cache: EntityCache;
  #closing: Promise<void> | undefined;

  private constructor({ orm, engine, runtime, language, cache, policies }: Parts) {
    this.#orm = orm;
    this.#engine = engine;
    this.#runtime = runtime;
    this.#cache = cache;
    const em = orm.em as unknown as SqlEntityManager;
    const transactions = new Transactions(em, engine, language, cache);
    const directory = new TenantDirectory(runtime.clock, (slug) => this.tenants.get(slug));
    const appends = new Appends(em, (error) => engine.translateError(error), cache);
    this.#transactions = transactions;
    this.#scopes = { transactions, directory, appends, cached: new CachedReads(transactions.plans, cache) };
    this.tenants = new TenantsService(transactions, (tenant) => directory.learn(tenant));
    const warmer = new CacheWarmer(transactions.plans, cache);
    this.cache = new CacheService({ cache, warmer, tenants: this.tenants, policies });
  }

  /**
   * Opens the database of `databaseUrl`, of DATABASE_URL, or `./colloquy.sqlite`, making and migrating it as needed.
   *
   * @throws ConfigurationError, DatabaseUnavailableError, DatabaseLockedError, DatabaseCorruptError, SchemaMismatchError
   */
  static async open(options: OpenOptions = {}): Promise<PersistenceManager> {
    const engine = await configuredEngine(options);
    const language = configuredLanguage(options);
    engine.assertReachable();
    if (options.migrate === false && !engine.exists())
      throw new DatabaseUnavailableError(engine.description, 'there is no such file');
    const { redisUrl, isOff } = configuredCache(options);
    const policies = configuredPolicies(options.cache ?? (isOff ? false : {}));
    const runtime = createRuntime(options);
    let cache: EntityCache | undefined;
    const orm = await MikroORM.init(createOrmOptions(engine, () => cache?.results));
    installRuntime(orm.config, runtime);
    try {
      await orm.connect();
      const migrator = Migrator.of(orm);
      const pending = await migrator.assertUsable(engine);
      if (pending.length > 0) {
        if (options.migrate === false) {
          throw new SchemaMismatchError(engine.description, 'pending', pending);
        }
        await migrator.up();
      }
      const em = orm.em.fork({ disableContextResolution: true }) as unknown as SqlEntityManager;
      await engine.assertUsable?.(em);
      cache = await openCache({
        policies,
        runtime,
        redisUrl,
        // What has no identity, no other process reaches.
        origin: (await engine.identity?.(em)) === undefined ? undefined : await migrator.origin(),
        databaseVersion: connectionOf(em).databaseVersion,
      });
      const persistence = new PersistenceManager({ orm, engine, runtime, language, cache, policies });
      await persistence.cache.warm();
      return persistence;
    } catch (error) {
      await cache?.close();
      await orm.close(true);
      throw localize(engine.translateError(error), language);
    }
  }

  /** The database for people: engine, and path or host, without secrets. */
  get database(): string {
    return this.#engine.description;
  }

  /** MikroORM itself, with its metadata, configuration and connection. It is closed with this manager. */
  get orm(): MikroORM {
    return this.#orm;
  }

  /** Where this manager takes time, random bytes and ids from. */
  get sources(): Sources {
    return this.#runtime;
  }

  /** One tenant's data. It is looked up at the first call, which fails with NotFoundError when there is no such tenant. */
  tenant(slug: string): TenantContext {
    const scope = new TenantScope(slug, this.#scopes);
    return new TenantContext(slug, scope, (tenantId) => readStats(this.#transactions, this.#engine, tenantId));
  }

  /**
   * A transaction over several tenants: calls of services and units of work inside it join it, and all are committed when `work`
   * resolves, none when it throws.
   */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    return this.#transactions.write(undefined, work);
  }

  /**
   * A fresh entity manager of MikroORM, for whoever wants the ORM itself, such as a seeder, or SQL. No tenant limits it: set
   * the parameter of the filter "tenant" to read or write rows of one; SQL names its tenant itself.
   */
  async withEntityManager<T>(work: (em: SqlEntityManager) => Promise<T>): Promise<T> {
    return this.#transactions.bare(work);
  }

  /** The rows of all tenants by table, and the size of the database. */
  async stats(): Promise<Stats> {
    return readStats(this.#transactions, this.#engine);
  }

  /**
   * Copies all tenants, or one, with every row of theirs, ids and times included, to the database of another manager, of the same
   * engine or another. Each tenant is copied as it is at the moment when its copy begins; what is written at the source later is not
   * copied, and on SQLite, which has one connection, other calls of this manager wait. Rows are written in batches of one transaction each, so a copy that was ended, at whatever moment, is completed by copying
   * again. At its end the target is read again and its digest compared; `isEqual` of each tenant's report tells the result.
   *
   * @throws ConfigurationError when both are one database; CopyRefusedError when the target has rows of a tenant that are not equal to
   *   the source's, before any of that tenant is written, or when a row of the source breaks a rule; NotFoundError when there is no
   *   such tenant; the signal's reason when it is aborted.
   */
  async copyTo(target: PersistenceManager, options: CopyOptions = {}): Promise<CopyReport> {
    return copyTenants(this.#copyEnd, target.#copyEnd, options);
  }

  get #copyEnd(): CopyEnd {
    return { tenants: this.tenants, transactions: this.#transactions, engine: this.#engine };
  }

  /** Closes the database. Calls that are under way end first; later ones fail with PersistenceClosedError. */
  async close(): Promise<void> {
    this.#closing ??= this.#end();
    await this.#closing;
  }

  async #end(): Promise<void> {
    await this.#transactions.drain();
    await this.#cache.close();
    await this.#orm.close(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
