import { Migration } from '@mikro-orm/migrations';

export class CreateVoiceSessions extends Migration {
  override up(): void {
    this.addSql(`
      create table "voice_sessions" (
        "tenant_id" uuid not null,
        "id" uuid not null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        "external_id" varchar(255) not null,
        "user_id" uuid not null,
        "conversation_id" uuid null,
        "config" json not null,
        "start_time" timestamptz(3) not null,
        "end_time" timestamptz(3) null,
        "duration_seconds" double precision null,
        "audio_duration_seconds" double precision null,
        "metadata" json not null,
        "status" text not null default 'active',
        "version" bigint not null default 1,
        primary key ("tenant_id", "id"),
        constraint "voice_sessions_external_id_unique" unique ("tenant_id", "external_id"),
        constraint "voice_sessions_status_check" check ("status" in ('active', 'completed', 'failed', 'cancelled')),
        constraint "voice_sessions_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action,
        constraint "voice_sessions_tenant_id_user_id_foreign" foreign key ("tenant_id", "user_id") references "users" ("tenant_id", "id") on update no action on delete no action,
        constraint "voice_sessions_tenant_id_conversation_id_foreign" foreign key ("tenant_id", "conversation_id") references "conversations" ("tenant_id", "id") on update no action on delete no action
      )
    `);
    this.addSql(
      `create index "voice_sessions_conversation_index" on "voice_sessions" ("tenant_id", "conversation_id", "id")`,
    );
    this.addSql(`create index "voice_sessions_user_index" on "voice_sessions" ("tenant_id", "user_id", "id")`);
  }

  override down(): void {
    this.addSql(`drop table "voice_sessions"`);
  }
}
