import { Migration } from '@mikro-orm/migrations';

export class CreateUsage extends Migration {
  override up(): void {
    this.addSql(`
      create table "usage_records" (
        "tenant_id" uuid not null,
        "id" uuid not null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        "user_id" uuid null,
        "subject" varchar(36) not null,
        "day" varchar(10) not null,
        "provider" varchar(100) not null,
        "model" varchar(200) not null,
        "requests" bigint not null default 0,
        "prompt_tokens" bigint not null default 0,
        "completion_tokens" bigint not null default 0,
        "audio_seconds" double precision not null default 0,
        "cost_usd" numeric(15,6) not null default '0',
        primary key ("tenant_id", "id"),
        constraint "usage_records_day_unique" unique ("tenant_id", "day", "subject", "provider", "model"),
        constraint "usage_records_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action,
        constraint "usage_records_tenant_id_user_id_foreign" foreign key ("tenant_id", "user_id") references "users" ("tenant_id", "id") on update no action on delete no action
      )
    `);
    this.addSql(`create index "usage_records_user_index" on "usage_records" ("tenant_id", "user_id")`);
  }

  override down(): void {
    this.addSql(`drop table "usage_records"`);
  }
}
