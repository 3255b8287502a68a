import { Migration } from '@mikro-orm/migrations';

export class CreateTenants extends Migration {
  override up(): void {
    this.addSql(`
      create table "tenants" (
        "id" uuid not null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        "slug" varchar(63) not null,
        "name" varchar(200) not null,
        "plan" text not null default 'free',
        "status" text not null default 'active',
        "config" json not null,
        "quota" json not null,
        "version" bigint not null default 1,
        primary key ("id"),
        constraint "tenants_slug_unique" unique ("slug"),
        constraint "tenants_plan_check" check ("plan" in ('free', 'basic', 'premium', 'enterprise')),
        constraint "tenants_status_check" check ("status" in ('active', 'suspended', 'deleted'))
      )
    `);
  }

  override down(): void {
    this.addSql(`drop table "tenants"`);
  }
}
