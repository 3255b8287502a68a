import { Migration } from '@mikro-orm/migrations';

export class CreateMessages extends Migration {
  override up(): void {
    this.addSql(`
      create table "messages" (
        "tenant_id" text not null,
        "id" text not null,
        "created_at" datetime not null,
        "updated_at" datetime not null,
        "conversation_id" text not null,
        "seq" integer not null,
        "role" text check ("role" in ('user', 'assistant', 'system', 'tool')) not null,
        "content" text not null,
        "parts" json null,
        "modality" text check ("modality" in ('text', 'voice', 'image')) not null default 'text',
        "token_count" integer not null default 0,
        "references" json null,
        "metadata" json null,
        "idempotency_key" text null,
        primary key ("tenant_id", "id"),
        constraint "messages_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action,
        constraint "messages_tenant_id_conversation_id_foreign" foreign key ("tenant_id", "conversation_id") references "conversations" ("tenant_id", "id") on update no action on delete cascade
      )
    `);
    this.addSql(
      `create unique index "messages_idempotency_key_unique" on "messages" ("tenant_id", "idempotency_key") where idempotency_key is not null`,
    );
    this.addSql(`create unique index "messages_seq_unique" on "messages" ("tenant_id", "conversation_id", "seq")`);
  }

  override down(): void {
    this.addSql(`drop table "messages"`);
  }
}
