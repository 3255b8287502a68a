import { Migration } from '@mikro-orm/migrations';

export class CreateTenants extends Migration {
  override up(): void {
    this.addSql(`
      create table "tenants" (
        "id" text not null primary key,
        "created_at" datetime not null,
        "updated_at" datetime not null,
        "slug" text not null,
        "name" text not null,
        "plan" text check ("plan" in ('free', 'basic', 'premium', 'enterprise')) not null default 'free',
        "status" text check ("status" in ('active', 'suspended', 'deleted')) not null default 'active',
        "config" json not null,
        "quota" json not null,
        "version" integer not null default 1
      )
    `);
    this.addSql(`create unique index "tenants_slug_unique" on "tenants" ("slug")`);
  }

  override down(): void {
    this.addSql(`drop table "tenants"`);
  }
}
