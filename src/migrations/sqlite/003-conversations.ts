import { Migration } from '@mikro-orm/migrations';

export class CreateConversations extends Migration {
  override up(): void {
    this.addSql(`
      create table "conversations" (
        "tenant_id" text not null,
        "id" text not null,
        "created_at" datetime not null,
        "updated_at" datetime not null,
        "user_id" text not null,
        "external_id" text null,
        "title" text null,
        "summary" text null,
        "metadata" json not null,
        "message_count" integer not null default 0,
        "token_count" integer not null default 0,
        "last_message_at" datetime null,
        "status" text check ("status" in ('active', 'archived')) not null default 'active',
        "version" integer not null default 1,
        primary key ("tenant_id", "id"),
        constraint "conversations_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action,
        constraint "conversations_tenant_id_user_id_foreign" foreign key ("tenant_id", "user_id") references "users" ("tenant_id", "id") on update no action on delete no action
      )
    `);
    this.addSql(`create index "conversations_user_index" on "conversations" ("tenant_id", "user_id", "id")`);
    this.addSql(
      `create unique index "conversations_external_id_unique" on "conversations" ("tenant_id", "external_id")`,
    );
  }

  override down(): void {
    this.addSql(`drop table "conversations"`);
  }
}
