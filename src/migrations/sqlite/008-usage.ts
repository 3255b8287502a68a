import { Migration } from '@mikro-orm/migrations';

export class CreateUsage extends Migration {
  override up(): void {
    this.addSql(`
      create table "usage_records" (
        "tenant_id" text not null,
        "id" text not null,
        "created_at" datetime not null,
        "updated_at" datetime not null,
        "user_id" text null,
        "subject" text not null,
        "day" text not null,
        "provider" text not null,
        "model" text not null,
        "requests" integer not null default 0,
        "prompt_tokens" integer not null default 0,
        "completion_tokens" integer not null default 0,
        "audio_seconds" double not null default 0,
        "cost_usd" numeric(15,6) not null default '0',
        primary key ("tenant_id", "id"),
        constraint "usage_records_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action,
        constraint "usage_records_tenant_id_user_id_foreign" foreign key ("tenant_id", "user_id") references "users" ("tenant_id", "id") on update no action on delete no action
      )
    `);
    this.addSql(`create index "usage_records_user_index" on "usage_records" ("tenant_id", "user_id")`);
    this.addSql(
      `create unique index "usage_records_day_unique" on "usage_records" ("tenant_id", "day", "subject", "provider", "model")`,
    );
  }

  override down(): void {
    this.addSql(`drop table "usage_records"`);
  }
}
