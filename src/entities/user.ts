import { HiddenProps, OptionalProps } from '@mikro-orm/core';
import { Entity, Enum, Property, Unique } from '@mikro-orm/decorators/legacy';
import { IsEmail, IsIn, IsOptional } from 'class-validator';
import { emailKeyOf } from './email-key.js';
import { EXTERNAL_ID_MAX, IsExternalId, IsJsonObject, IsPhone, IsText, IsVersion } from './rules.js';
import { TenantOwned } from './tenant-owned.js';

export const USER_ROLES = ['user', 'admin', 'super_admin'] as const;
export const USER_STATUSES = ['active', 'inactive', 'banned'] as const;
export type UserRole = (typeof USER_ROLES)[number];
export type UserStatus = (typeof USER_STATUSES)[number];

/** A person, or a program, that talks. */
@Entity({ tableName: 'users' })
@Unique({ name: 'users_external_id_unique', properties: ['tenant', 'externalId'] })
@Unique({ name: 'users_email_unique', properties: ['tenant', 'emailKey'] })
export class User extends TenantOwned {
  [OptionalProps]?: 'tenant' | 'createdAt' | 'updatedAt' | 'emailKey' | 'metadata' | 'role' | 'status' | 'version';
  [HiddenProps]?: 'emailKey';

  /** The caller's own key, unique within the tenant. */
  @Property({ type: 'string', length: EXTERNAL_ID_MAX })
  @IsExternalId()
  externalId!: string;

  @Property({ type: 'string', length: 255 })
  @IsText({ max: 255 })
  username!: string;

  @Property({ type: 'string', length: 255, nullable: true })
  @IsOptional()
  @IsText({ max: 255 })
  nickname: string | null = null;

  @Property({ type: 'string', length: 320, nullable: true })
  @IsOptional()
  @IsEmail()
  email: string | null = null;

  /** What makes the e-mail address unique within the tenant, in whatever case it is written. It follows from `email`. */
  @Property({ type: 'string', length: 640, nullable: true, hidden: true, onCreate: emailKeyOf, onUpdate: emailKeyOf })
  emailKey?: string | null;

  /** E.164. */
  @Property({ type: 'string', length: 16, nullable: true })
  @IsOptional()
  @IsPhone()
  phone: string | null = null;

  @Property({ type: 'json' })
  @IsJsonObject()
  metadata: Record<string, unknown> = {};

  @Enum({ items: () => [...USER_ROLES], type: 'string' })
  @IsIn(USER_ROLES)
  role: UserRole = 'user';

  @Enum({ items: () => [...USER_STATUSES], type: 'string' })
  @IsIn(USER_STATUSES)
  status: UserStatus = 'active';

  @Property({ type: 'integer', version: true })
  @IsVersion()
  version!: number;
}
