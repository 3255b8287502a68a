import { Migration } from '@mikro-orm/migrations';

export class CreateVoiceSessions extends Migration {
  override up(): void {
    this.addSql(`
      create table "voice_sessions" (
        "tenant_id" text not null,
        "id" text not null,
        "created_at" datetime not null,
        "updated_at" datetime not null,
        "external_id" text not null,
        "user_id" text not null,
        "conversation_id" text null,
        "config" json not null,
        "start_time" datetime not null,
        "end_time" datetime null,
        "duration_seconds" double null,
        "audio_duration_seconds" double null,
        "metadata" json not null,
        "status" text check ("status" in ('active', 'completed', 'failed', 'cancelled')) not null default 'active',
        "version" integer not null default 1,
        primary key ("tenant_id", "id"),
        constraint "voice_sessions_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action,
        constraint "voice_sessions_tenant_id_user_id_foreign" foreign key ("tenant_id", "user_id") references "users" ("tenant_id", "id") on update no action on delete no action,
        constraint "voice_sessions_tenant_id_conversation_id_foreign" foreign key ("tenant_id", "conversation_id") references "conversations" ("tenant_id", "id") on update no action on delete no action
      )
    `);
    this.addSql(
      `create index "voice_sessions_conversation_index" on "voice_sessions" ("tenant_id", "conversation_id", "id")`,
    );
    this.addSql(`create index "voice_sessions_user_index" on "voice_sessions" ("tenant_id", "user_id", "id")`);
    this.addSql(
      `create unique index "voice_sessions_external_id_unique" on "voice_sessions" ("tenant_id", "external_id")`,
    );
  }

  override down(): void {
    this.addSql(`drop table "voice_sessions"`);
  }
}
