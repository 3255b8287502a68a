import { Migration } from '@mikro-orm/migrations';

export class CreateUsers extends Migration {
  override up(): void {
    this.addSql(`
      create table "users" (
        "tenant_id" text not null,
        "id" text not null,
        "created_at" datetime not null,
        "updated_at" datetime not null,
        "external_id" text not null,
        "username" text not null,
        "nickname" text null,
        "email" text null,
        "phone" text null,
        "metadata" json not null,
        "role" text check ("role" in ('user', 'admin', 'super_admin')) not null default 'user',
        "status" text check ("status" in ('active', 'inactive', 'banned')) not null default 'active',
        "version" integer not null default 1,
        primary key ("tenant_id", "id"),
        constraint "users_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action
      )
    `);
    this.addSql(`create unique index "users_external_id_unique" on "users" ("tenant_id", "external_id")`);
  }

  override down(): void {
    this.addSql(`drop table "users"`);
  }
}
