import { Migration } from '@mikro-orm/migrations';

export class CreateApiKeys extends Migration {
  override up(): void {
    this.addSql(`
      create table "api_keys" (
        "tenant_id" text not null,
        "id" text not null,
        "created_at" datetime not null,
        "updated_at" datetime not null,
        "user_id" text null,
        "name" text not null,
        "prefix" text not null,
        "hash" text not null,
        "scopes" json not null,
        "expires_at" datetime null,
        "last_used_at" datetime null,
        "status" text check ("status" in ('active', 'revoked')) not null default 'active',
        "version" integer not null default 1,
        primary key ("tenant_id", "id"),
        constraint "api_keys_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action,
        constraint "api_keys_tenant_id_user_id_foreign" foreign key ("tenant_id", "user_id") references "users" ("tenant_id", "id") on update no action on delete no action
      )
    `);
    this.addSql(`create index "api_keys_user_index" on "api_keys" ("tenant_id", "user_id")`);
    this.addSql(`create unique index "api_keys_prefix_unique" on "api_keys" ("tenant_id", "prefix")`);
  }

  override down(): void {
    this.addSql(`drop table "api_keys"`);
  }
}
