import { type EntityManager, OptionalProps } from '@mikro-orm/core';
import { Entity, Enum, Filter, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { IsIn, IsUUID } from 'class-validator';
import { runtimeOf } from '../runtime.js';
import { IsJsonObject, IsSlug, IsText, IsVersion } from './rules.js';
import { optionalTenantIdOf, TENANT_FILTER } from './tenant-limit.js';
import { Timestamped } from './timestamped.js';

export const TENANT_PLANS = ['free', 'basic', 'premium', 'enterprise'] as const;
export const TENANT_STATUSES = ['active', 'suspended', 'deleted'] as const;
export type TenantPlan = (typeof TENANT_PLANS)[number];
export type TenantStatus = (typeof TENANT_STATUSES)[number];

/** A customer of the backend. Every other row belongs to one, and none can reach another's. */
@Entity({ tableName: 'tenants' })
@Filter({
  name: TENANT_FILTER,
  // A unit of work of one tenant sees that tenant alone.
  cond: (_parameters: object, _type: unknown, em: EntityManager) => {
    const tenantId = optionalTenantIdOf(em);
    return tenantId === undefined ? {} : { id: tenantId };
  },
  default: true,
  args: false,
})
export class Tenant extends Timestamped {
  [OptionalProps]?: 'createdAt' | 'updatedAt' | 'plan' | 'status' | 'config' | 'quota' | 'version';

  @PrimaryKey({ type: 'uuid', onCreate: (_entity, em) => runtimeOf(em).ids.next() })
  @IsUUID('7')
  id!: string;

  /** What people and programs call the tenant; unique in the database and never changed. */
  @Property({ type: 'string', length: 63, unique: true })
  @IsSlug()
  slug!: string;

  @Property({ type: 'string', length: 200 })
  @IsText({ max: 200 })
  name!: string;

  @Enum({ items: () => [...TENANT_PLANS], type: 'string' })
  @IsIn(TENANT_PLANS)
  plan: TenantPlan = 'free';

  @Enum({ items: () => [...TENANT_STATUSES], type: 'string' })
  @IsIn(TENANT_STATUSES)
  status: TenantStatus = 'active';

  @Property({ type: 'json' })
  @IsJsonObject()
  config: Record<string, unknown> = {};

  @Property({ type: 'json' })
  @IsJsonObject()
  quota: Record<string, unknown> = {};

  @Property({ type: 'integer', version: true })
  @IsVersion()
  version!: number;
}
