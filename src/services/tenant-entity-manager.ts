import type { EntityName, FilterOptions, FilterQuery, FindOptions } from '@mikro-orm/core';
import { SqlEntityManager } from '@mikro-orm/sql';
import { optionalTenantIdOf, TENANT_FILTER } from '../entities/tenant-limit.js';

/** MikroORM's entity manager, in which a query of a unit of work cannot switch the tenant's filter off. */
export class TenantEntityManager extends SqlEntityManager {
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
