import { Migration } from '@mikro-orm/migrations';

export class CreateMessages extends Migration {
  override up(): void {
    this.addSql(`
      create table "messages" (
        "tenant_id" uuid not null,
        "id" uuid not null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        "conversation_id" uuid not null,
        "seq" bigint not null,
        "role" text not null,
        "content" text not null,
        "parts" json null,
        "modality" text not null default 'text',
        "token_count" bigint not null default 0,
        "references" json null,
        "metadata" json null,
        "idempotency_key" varchar(255) null,
        primary key ("tenant_id", "id"),
        constraint "messages_seq_unique" unique ("tenant_id", "conversation_id", "seq"),
        constraint "messages_role_check" check ("role" in ('user', 'assistant', 'system', 'tool')),
        constraint "messages_modality_check" check ("modality" in ('text', 'voice', 'image')),
        constraint "messages_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action,
        constraint "messages_tenant_id_conversation_id_foreign" foreign key ("tenant_id", "conversation_id") references "conversations" ("tenant_id", "id") on update no action on delete cascade
      )
    `);
    this.addSql(
      `create unique index "messages_idempotency_key_unique" on "messages" ("tenant_id", "idempotency_key") where idempotency_key is not null`,
    );
  }

  override down(): void {
    this.addSql(`drop table "messages"`);
  }
}
