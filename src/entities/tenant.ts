import { type EntityManager, OptionalProps } from '@mikro-orm/core';
import { Entity, Enum, Filter, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { IsIn } from 'class-validator';
import { runtimeOf } from '../runtime.js';
import { IsQuota, type TenantQuota } from './quota.js';
import { IsId, IsJsonObject, IsSlug, IsText, IsVersion } from './rules.js';
import { FollowsStates, type StateMachine } from './states.js';
import { optionalTenantIdOf, TENANT_FILTER } from './tenant-limit.js';
import { Timestamped } from './timestamped.js';

export const TENANT_PLANS = ['free', 'basic', 'premium', 'enterprise'] as const;
export const TENANT_STATUSES = ['active', 'suspended', 'deleted'] as const;
export type TenantPlan = (typeof TENANT_PLANS)[number];
export type TenantStatus = (typeof TENANT_STATUSES)[number];

const STATES: StateMachine<TenantStatus> = {
  active: ['suspended', 'deleted'],
  suspended: ['active', 'deleted'],
  deleted: [],
};

/**
 * A customer of the backend. Every other row belongs to one, and none can reach another's. Its states:
 *
 *     active <──> suspended (its rows can be read, not written) ──> deleted (neither)
 *     active ──> deleted
 */
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
  @IsId()
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
  @FollowsStates(STATES)
  status: TenantStatus = 'active';

  @Property({ type: 'json' })
  @IsJsonObject()
  config: Record<string, unknown> = {};

  @Property({ type: 'json' })
  @IsJsonObject()
  @IsQuota()
  quota: TenantQuota = {};

  @Property({ type: 'integer', version: true })
  @IsVersion()
  version!: number;
}
