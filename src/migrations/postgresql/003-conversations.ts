import { Migration } from '@mikro-orm/migrations';

export class CreateConversations extends Migration {
  override up(): void {
    this.addSql(`
      create table "conversations" (
        "tenant_id" uuid not null,
        "id" uuid not null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        "user_id" uuid not null,
        "external_id" varchar(255) null,
        "title" varchar(500) null,
        "summary" text null,
        "metadata" json not null,
        "message_count" bigint not null default 0,
        "token_count" bigint not null default 0,
        "last_message_at" timestamptz(3) null,
        "status" text not null default 'active',
        "version" bigint not null default 1,
        primary key ("tenant_id", "id"),
        constraint "conversations_external_id_unique" unique ("tenant_id", "external_id"),
        constraint "conversations_status_check" check ("status" in ('active', 'archived')),
        constraint "conversations_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action,
        constraint "conversations_tenant_id_user_id_foreign" foreign key ("tenant_id", "user_id") references "users" ("tenant_id", "id") on update no action on delete no action
      )
    `);
    this.addSql(`create index "conversations_user_index" on "conversations" ("tenant_id", "user_id", "id")`);
  }

  override down(): void {
    this.addSql(`drop table "conversations"`);
  }
}
