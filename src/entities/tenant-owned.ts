import { type EntityManager, PrimaryKeyProp, type Ref } from '@mikro-orm/core';
import { Filter, ManyToOne, PrimaryKey } from '@mikro-orm/decorators/legacy';
import { runtimeOf } from '../runtime.js';
import { IsId } from './rules.js';
import { Tenant } from './tenant.js';
import { TENANT_FILTER, tenantIdOf } from './tenant-limit.js';
import { Timestamped } from './timestamped.js';

/**
 * A row that belongs to a tenant. Its key is `(tenant_id, id)` and every reference carries the tenant's column, so that a row of
 * another tenant cannot even be named.
 */
@Filter({
  name: TENANT_FILTER,
  // Not of the filter's parameters, which a query may replace, but of the entity manager's; without any it throws.
  cond: (_parameters: object, _type: unknown, em: EntityManager) => ({ tenant: tenantIdOf(em) }),
  default: true,
})
export abstract class TenantOwned extends Timestamped {
  [PrimaryKeyProp]?: ['tenant', 'id'];

  @ManyToOne({
    entity: () => Tenant,
    ref: true,
    primary: true,
    index: false,
    fieldName: 'tenant_id',
    onCreate: (_entity: TenantOwned, em) => em.getReference(Tenant, tenantIdOf(em), { wrapped: true }),
    updateRule: 'no action',
    deleteRule: 'no action',
  })
  tenant!: Ref<Tenant>;

  @PrimaryKey({ type: 'uuid', onCreate: (_entity, em) => runtimeOf(em).ids.next() })
  @IsId()
  id!: string;
}

/**
 * Column options of a reference from one tenant-owned row to another: the pair `(tenant_id, <column>)` points at `(tenant_id, id)`.
 * The generator's own rules (ON UPDATE CASCADE, SET NULL) would touch the tenant's column, hence "no action".
 */
export function withinTenant(column: string) {
  return {
    ref: true,
    // The classes declare the indexes they need; most have one that begins with these columns.
    index: false,
    joinColumns: ['tenant_id', column],
    referencedColumnNames: ['tenant_id', 'id'],
    updateRule: 'no action' as const,
    deleteRule: 'no action' as const,
  };
}
