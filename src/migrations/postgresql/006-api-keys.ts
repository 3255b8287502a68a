import { Migration } from '@mikro-orm/migrations';

export class CreateApiKeys extends Migration {
  override up(): void {
    this.addSql(`
      create table "api_keys" (
        "tenant_id" uuid not null,
        "id" uuid not null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        "user_id" uuid null,
        "name" varchar(200) not null,
        "prefix" varchar(16) not null,
        "hash" varchar(64) not null,
        "scopes" json not null,
        "expires_at" timestamptz(3) null,
        "last_used_at" timestamptz(3) null,
        "status" text not null default 'active',
        "version" bigint not null default 1,
        primary key ("tenant_id", "id"),
        constraint "api_keys_prefix_unique" unique ("tenant_id", "prefix"),
        constraint "api_keys_status_check" check ("status" in ('active', 'revoked')),
        constraint "api_keys_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action,
        constraint "api_keys_tenant_id_user_id_foreign" foreign key ("tenant_id", "user_id") references "users" ("tenant_id", "id") on update no action on delete no action
      )
    `);
    this.addSql(`create index "api_keys_user_index" on "api_keys" ("tenant_id", "user_id")`);
  }

  override down(): void {
    this.addSql(`drop table "api_keys"`);
  }
}
