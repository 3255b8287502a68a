import { OptionalProps, type Ref } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, Property, Unique } from '@mikro-orm/decorators/legacy';
import { IsInt, IsNumber, Max, Min } from 'class-validator';
import { IsDay, IsMoney, IsText } from './rules.js';
import { TenantOwned, withinTenant } from './tenant-owned.js';
import { User } from './user.js';

/** What one user (or the tenant itself, where `user` is null) used of one model on one day. */
@Entity({ tableName: 'usage_records' })
@Unique({ name: 'usage_records_day_unique', properties: ['tenant', 'day', 'subject', 'provider', 'model'] })
@Index({ name: 'usage_records_user_index', properties: ['user'] })
export class UsageRecord extends TenantOwned {
  [OptionalProps]?:
    | 'tenant'
    | 'createdAt'
    | 'updatedAt'
    | 'requests'
    | 'promptTokens'
    | 'completionTokens'
    | 'audioSeconds'
    | 'costUsd';

  @ManyToOne({ entity: () => User, nullable: true, ...withinTenant('user_id') })
  user: Ref<User> | null = null;

  /** The user's id, or `tenant`: what the unique key needs, since no engine counts two nulls as equal. */
  @Property({ type: 'string', length: 36 })
  @IsText({ max: 36 })
  subject!: string;

  /** UTC, `YYYY-MM-DD`. */
  @Property({ type: 'string', length: 10 })
  @IsDay()
  day!: string;

  @Property({ type: 'string', length: 100 })
  @IsText({ max: 100 })
  provider!: string;

  @Property({ type: 'string', length: 200 })
  @IsText({ max: 200 })
  model!: string;

  @Property({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  requests: number = 0;

  @Property({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  promptTokens: number = 0;

  @Property({ type: 'integer' })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  completionTokens: number = 0;

  @Property({ type: 'double' })
  @IsNumber()
  @Min(0)
  audioSeconds: number = 0;

  /** US dollars with at most six decimals, as text: money is not a floating-point number. */
  @Property({ type: 'decimal', precision: 15, scale: 6 })
  @IsMoney()
  costUsd: string = '0';
}
