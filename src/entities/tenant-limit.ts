import type { EntityManager } from '@mikro-orm/core';

/** Name of the filter that every query over tenant-owned rows passes; a query without its parameter throws. */
export const TENANT_FILTER = 'tenant';

/** The tenant that an entity manager is limited to; undefined where it is limited to none. */
export function optionalTenantIdOf(em: EntityManager): string | undefined {
  const parameters = em.getFilterParams<{ tenantId?: string }>(TENANT_FILTER) as { tenantId?: string } | undefined;
  return parameters?.tenantId;
}

/** @throws TypeError when the entity manager is limited to no tenant. */
export function tenantIdOf(em: EntityManager): string {
  const tenantId = optionalTenantIdOf(em);
  if (!tenantId) throw new TypeError('This entity manager has no tenant; use a unit of work of a tenant.');
  return tenantId;
}
