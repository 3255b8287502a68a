import { AsyncLocalStorage } from 'node:async_hooks';
import type {
  ConnectionType,
  CountByOptions,
  Dictionary,
  EntityKey,
  EntityName,
  FilterDef,
  FilterOptions,
  FilterQuery,
  FindOptions,
  ForkOptions,
  Loaded,
  LockMode,
  LockOptions,
  SessionContext,
  StreamOptions,
  WithUsingOptions,
} from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { optionalTenantIdOf, TENANT_FILTER } from '../entities/tenant-limit.js';
import { StatementRefusedError } from '../errors.js';
import { connectionOf, type StatementRunner } from '../repositories/statement.js';
import { nameOfResult } from './result-cache.js';
import { JudgedEntityManager } from './judged-entity-manager.js';
import { containsSql, optionsContainSql } from './sql-text.js';
import { assertReachable } from './write-guard.js';

type SqlConnection = ReturnType<SqlEntityManager['getConnection']>;
type FilterCondition = FilterDef<EntityName>['cond'];
type FilterCall = Parameters<Extract<FilterCondition, (...parameters: never) => unknown>>;
type CacheOption = Parameters<SqlEntityManager['tryCache']>[1];
type CacheParameters = [key: unknown, refresh?: boolean, merge?: boolean];

/** What the connection of a sealed entity manager still does. */
const TRANSACTIONS: ReadonlySet<PropertyKey> = new Set(['transactional', 'begin', 'commit', 'rollback', 'getPlatform']);

/**
 * MikroORM's entity manager, which can be kept to a tenant. That of a tenant's unit of work is sealed: its queries find the tenant's rows
 * whatever they say, and what is SQL, which nobody can limit, is refused. The tenant's filter has the database limit what is sent, too,
 * where it can.
 */
export class TenantEntityManager extends JudgedEntityManager implements StatementRunner {
  #isSealed = false;
  /** MikroORM counts by groups with a query builder, whose condition has been limited before. */
  static readonly #counting = new AsyncLocalStorage<true>();

  /** Keeps this entity manager, and every fork of it, to the tenant that the filter names now. */
  seal(): void {
    this.#isSealed = true;
  }

  get #sealed(): boolean {
    return this.getContext(false).#isSealed;
  }

  override fork(options: ForkOptions = {}): this {
    const fork = super.fork(options);
    fork.#isSealed = (options.disableContextResolution ? this : this.getContext(false)).#isSealed;
    return fork;
  }

  // What the queries are limited by

  override addFilter<T extends EntityName | readonly EntityName[]>(options: Omit<FilterDef<T>, 'rls'>): void {
    if (options.name === TENANT_FILTER) {
      throw new StatementRefusedError('A filter of this name', 'filter');
    }
    super.addFilter({ ...options, cond: TenantEntityManager.#withoutSql(options.cond) });
  }

  /** The condition of a filter, which may be SQL anywhere but in a sealed entity manager. */
  static #withoutSql(condition: FilterCondition): FilterCondition {
    const judged = async (...parameters: FilterCall) => {
      const given = typeof condition === 'function' ? await condition(...parameters) : condition;
      const [, , em] = parameters;
      if (containsSql(given)) (em as TenantEntityManager).#refuse('A filter of SQL');
      return given;
    };
    // MikroORM tells by it whether the filter needs parameters.
    return Object.defineProperty(judged, 'length', { value: typeof condition === 'function' ? condition.length : 0 });
  }

  override setFilterParams(name: string, parameters: Dictionary): void {
    if (name === TENANT_FILTER) this.#refuse('setFilterParams', 'tenant');
    super.setFilterParams(name, parameters);
    if (name !== TENANT_FILTER) return;
    const em = this.getContext();
    connectionOf(em).limit?.(em, optionalTenantIdOf(em) || undefined);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it is MikroORM's
  override getFilterParams<T extends Dictionary = Dictionary>(name: string): T {
    const parameters = super.getFilterParams<T>(name);
    // What is handed out can be changed.
    return this.#sealed ? { ...parameters } : parameters;
  }

  override setSessionContext(context: SessionContext): void {
    this.#refuse('setSessionContext', 'tenant');
    super.setSessionContext(context);
  }

  override clearSessionContext(): void {
    this.#refuse('clearSessionContext', 'tenant');
    super.clearSessionContext();
  }

  /** MikroORM streams nothing outside of a transaction where the database limits it. */
  override async *stream<
    Entity extends object,
    Hint extends string = never,
    Fields extends string = never,
    Excludes extends string = never,
    Using extends string = never,
  >(
    entityName: EntityName<Entity>,
    options?: WithUsingOptions<StreamOptions<NoInfer<Entity>, Hint, Fields, Excludes>, NoInfer<Entity>, Using>,
  ): AsyncIterableIterator<Loaded<Entity, Hint, Fields, Excludes>> {
    if (this.isInTransaction() || !this.getSessionContext()) {
      yield* super.stream<Entity, Hint, Fields, Excludes, Using>(entityName, options);
      return;
    }
    const em = this.fork();
    await em.begin();
    try {
      yield* em.stream<Entity, Hint, Fields, Excludes, Using>(entityName, options);
    } finally {
      // It has only read.
      await em.rollback();
    }
  }

  override async applyFilters<Entity extends object>(
    entityName: EntityName<Entity>,
    where: FilterQuery<Entity> | undefined,
    options: FilterOptions | undefined,
    type: 'read' | 'update' | 'delete',
    findOptions?: FindOptions<Entity>,
  ): Promise<FilterQuery<Entity> | undefined> {
    const fenced = optionalTenantIdOf(this) === undefined ? options : withTenantFilter(options);
    return super.applyFilters(entityName, where, fenced, type, findOptions);
  }

  protected override async processWhere<Entity extends object>(
    entityName: EntityName<Entity>,
    where: FilterQuery<Entity>,
    options: FindOptions<Entity>,
    type: 'read' | 'update' | 'delete',
  ): Promise<FilterQuery<Entity>> {
    if (this.#sealed && containsSql(where)) this.#refuse('A condition of SQL');
    return super.processWhere(entityName, where, options, type);
  }

  protected override prepareOptions<Options extends object>(options: Options): Options {
    if (this.#sealed && optionsContainSql(options)) this.#refuse('An option of SQL');
    return super.prepareOptions(options as never);
  }

  override async lock(entity: object, lockMode: LockMode, options?: LockOptions | number | Date): Promise<void> {
    assertReachable(this.getContext(false), entity);
    return super.lock(entity, lockMode, options);
  }

  // What is cached under a name is the tenant's own

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it is MikroORM's
  override async tryCache<T extends object, R>(name: EntityName<T>, config: CacheOption, ...rest: CacheParameters) {
    const given = config ?? this.config.get('resultCache').global;
    if (!given) return super.tryCache<T, R>(name, given, ...rest);
    const own = Array.isArray(given) ? given[0] : JSON.stringify(rest[0]);
    // How long it is kept, `storeCache` is told by the query.
    return super.tryCache<T, R>(name, [this.#ownCacheKey(own), 0], ...rest);
  }

  override async clearCache(cacheKey: string): Promise<void> {
    return super.clearCache(this.#ownCacheKey(cacheKey));
  }

  #ownCacheKey(name: string): string {
    return nameOfResult(optionalTenantIdOf(this), name);
  }

  // SQL

  /** @throws StatementRefusedError where this entity manager is sealed. */
  #refuse(statement: string, reason: 'sql' | 'tenant' = 'sql'): void {
    if (this.#sealed) throw new StatementRefusedError(statement, reason);
  }

  async runStatement<Row extends object>(sql: string, values: readonly unknown[]): Promise<Row[]> {
    return this.#run<Row[]>(sql, values, 'all');
  }

  async runUpdate(sql: string, values: readonly unknown[]): Promise<{ readonly affectedRows: number }> {
    return this.#run<{ affectedRows: number }>(sql, values, 'run');
  }

  async #run<Result extends object>(sql: string, values: readonly unknown[], method: 'all' | 'run'): Promise<Result> {
    const em = this.getContext(false);
    const driver = em.getDriver();
    const connection = driver.getConnection('write');
    const run = (transaction: ReturnType<typeof em.getTransactionContext>) =>
      driver.execute<Result>(sql, [...values], method, transaction, { ...em.getAbortOptions() } as object, connection);
    return em.withSessionContext(em.getTransactionContext(), run, connection);
  }

  override async execute(...parameters: never[]): Promise<never> {
    this.#refuse('execute');
    return super.execute(...(parameters as unknown as Parameters<SqlEntityManager['execute']>)) as Promise<never>;
  }

  override createQueryBuilder(...parameters: never[]): never {
    if (!TenantEntityManager.#counting.getStore()) this.#refuse('A query builder');
    return super.createQueryBuilder(...(parameters as unknown as [never])) as never;
  }

  override async countBy<Entity extends object>(
    entityName: EntityName<Entity>,
    groupBy: EntityKey<Entity> | readonly EntityKey<Entity>[],
    options?: CountByOptions<Entity>,
  ): Promise<Dictionary<number>> {
    if (containsSql(groupBy)) this.#refuse('A group of SQL');
    return TenantEntityManager.#counting.run(true, () => super.countBy(entityName, groupBy, options));
  }

  /** @throws StatementRefusedError also where Kysely's statements would go past the limit of the database. */
  override getKysely(...parameters: never[]): never {
    this.#refuse('getKysely');
    if (!this.isInTransaction() && this.getSessionContext()) {
      throw new StatementRefusedError('getKysely', 'transaction');
    }
    return super.getKysely(...(parameters as unknown as [never])) as never;
  }

  override async clone(...parameters: never[]): Promise<never> {
    this.#refuse('clone');
    return super.clone(...(parameters as unknown as [never]));
  }

  override async callRoutine(...parameters: never[]): Promise<never> {
    this.#refuse('callRoutine');
    return super.callRoutine(...(parameters as unknown as [never, never]));
  }

  override getConnection(type?: ConnectionType): SqlConnection {
    const connection = super.getConnection(type);
    return this.#sealed ? this.#withoutStatements(connection) : connection;
  }

  #withoutStatements(connection: SqlConnection): SqlConnection {
    return new Proxy(connection, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        if (TRANSACTIONS.has(key)) return value.bind(target) as unknown;
        return () => this.#refuse(`The connection's ${String(key)}`);
      },
    });
  }
}

function withTenantFilter(options: FilterOptions | undefined): FilterOptions {
  if (Array.isArray(options)) return [...options, TENANT_FILTER];
  return typeof options === 'object' ? { ...options, [TENANT_FILTER]: true } : { [TENANT_FILTER]: true };
}
