import type {
  Dictionary,
  EntityName,
  FilterOptions,
  FilterQuery,
  FindOptions,
  Loaded,
  StreamOptions,
  WithUsingOptions,
} from '@mikro-orm/core';
import { type GetKyselyOptions, SqlEntityManager } from '@mikro-orm/sql';
import type { BulkConnection } from '../database/engine.js';
import { optionalTenantIdOf, TENANT_FILTER } from '../entities/tenant-limit.js';

/**
 * MikroORM's entity manager, in which a query of a unit of work cannot switch the tenant's filter off, and the tenant's filter has the
 * database limit what is sent, where it can.
 */
export class TenantEntityManager extends SqlEntityManager {
  override setFilterParams(name: string, parameters: Dictionary): void {
    super.setFilterParams(name, parameters);
    if (name !== TENANT_FILTER) return;
    const em = this.getContext();
    (em.getConnection() as unknown as BulkConnection).limit?.(em, optionalTenantIdOf(em) || undefined);
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

  /** @throws TypeError where Kysely's statements would go past the limit of the database. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- MikroORM's signature
  override getKysely<TDB = undefined, TOptions extends GetKyselyOptions = GetKyselyOptions>(options?: TOptions) {
    if (!this.isInTransaction() && this.getSessionContext()) {
      throw new TypeError('Outside of a transaction Kysely knows of no tenant here; use it inside transaction().');
    }
    return super.getKysely<TDB, TOptions>(options);
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
}

function withTenantFilter(options: FilterOptions | undefined): FilterOptions {
  if (Array.isArray(options)) return [...options, TENANT_FILTER];
  return typeof options === 'object' ? { ...options, [TENANT_FILTER]: true } : { [TENANT_FILTER]: true };
}
