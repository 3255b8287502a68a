import { OptionalProps, type Ref } from '@mikro-orm/core';
import { Entity, Enum, Index, ManyToOne, Property, Unique } from '@mikro-orm/decorators/legacy';
import { ArrayMaxSize, ArrayUnique, IsArray, IsIn, IsOptional } from 'class-validator';
import { AreScopes, IsHash, IsInstant, IsPrefix, IsText, IsVersion } from './rules.js';
import { FollowsStates, type StateMachine } from './states.js';
import { TenantOwned, withinTenant } from './tenant-owned.js';
import { User } from './user.js';

export const API_KEY_STATUSES = ['active', 'revoked'] as const;
export type ApiKeyStatus = (typeof API_KEY_STATUSES)[number];

const STATES: StateMachine<ApiKeyStatus> = { active: ['revoked'], revoked: [] };

/** A program's way in. Only a hash of the key is kept; the key itself is shown once, when it is made. */
@Entity({ tableName: 'api_keys' })
@Unique({ name: 'api_keys_prefix_unique', properties: ['tenant', 'prefix'] })
@Index({ name: 'api_keys_user_index', properties: ['user'] })
export class ApiKey extends TenantOwned {
  [OptionalProps]?: 'tenant' | 'createdAt' | 'updatedAt' | 'scopes' | 'expiresAt' | 'lastUsedAt' | 'status' | 'version';

  @ManyToOne({ entity: () => User, nullable: true, ...withinTenant('user_id') })
  user: Ref<User> | null = null;

  @Property({ type: 'string', length: 200 })
  @IsText({ max: 200 })
  name!: string;

  /** The readable beginning of the key, by which it is found. */
  @Property({ type: 'string', length: 16 })
  @IsPrefix()
  prefix!: string;

  /** SHA-256 of the whole key, in hexadecimal digits. */
  @Property({ type: 'string', length: 64 })
  @IsHash()
  hash!: string;

  @Property({ type: 'json' })
  @IsArray()
  @ArrayMaxSize(64)
  @ArrayUnique()
  @AreScopes()
  scopes: string[] = [];

  @Property({ type: 'Date', length: 3, nullable: true })
  @IsOptional()
  @IsInstant()
  expiresAt: Date | null = null;

  @Property({ type: 'Date', length: 3, nullable: true })
  @IsOptional()
  @IsInstant()
  lastUsedAt: Date | null = null;

  @Enum({ items: () => [...API_KEY_STATUSES], type: 'string' })
  @IsIn(API_KEY_STATUSES)
  @FollowsStates(STATES)
  status: ApiKeyStatus = 'active';

  @Property({ type: 'integer', version: true })
  @IsVersion()
  version!: number;
}
