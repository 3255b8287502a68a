import { Migration } from '@mikro-orm/migrations';

export class CreateUsers extends Migration {
  override up(): void {
    this.addSql(`
      create table "users" (
        "tenant_id" uuid not null,
        "id" uuid not null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        "external_id" varchar(255) not null,
        "username" varchar(255) not null,
        "nickname" varchar(255) null,
        "email" varchar(320) null,
        "phone" varchar(16) null,
        "metadata" json not null,
        "role" text not null default 'user',
        "status" text not null default 'active',
        "version" bigint not null default 1,
        primary key ("tenant_id", "id"),
        constraint "users_external_id_unique" unique ("tenant_id", "external_id"),
        constraint "users_role_check" check ("role" in ('user', 'admin', 'super_admin')),
        constraint "users_status_check" check ("status" in ('active', 'inactive', 'banned')),
        constraint "users_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action
      )
    `);
  }

  override down(): void {
    this.addSql(`drop table "users"`);
  }
}
