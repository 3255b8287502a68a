import { Migration } from '@mikro-orm/migrations';

export class CreateVoiceSessions extends Migration {
  override up(): void {
    this.addSql(`
      create table if not exists voice_sessions (
        tenant_id char(36) not null,
        id char(36) not null,
        created_at datetime(3) not null,
        updated_at datetime(3) not null,
        external_id varchar(255) not null,
        user_id char(36) not null,
        conversation_id char(36) null,
        config longtext not null,
        start_time datetime(3) not null,
        end_time datetime(3) null,
        duration_seconds double null,
        audio_duration_seconds double null,
        metadata longtext not null,
        status varchar(32) not null default 'active',
        version bigint not null default 1,
        primary key (tenant_id, id),
        index voice_sessions_conversation_index (tenant_id, conversation_id, id),
        index voice_sessions_user_index (tenant_id, user_id, id),
        constraint voice_sessions_external_id_unique unique (tenant_id, external_id),
        constraint voice_sessions_status_check check (status in ('active', 'completed', 'failed', 'cancelled')),
        constraint voice_sessions_tenant_id_foreign foreign key (tenant_id) references tenants (id) on update no action on delete no action,
        constraint voice_sessions_tenant_id_user_id_foreign foreign key (tenant_id, user_id) references users (tenant_id, id) on update no action on delete no action,
        constraint voice_sessions_tenant_id_conversation_id_foreign foreign key (tenant_id, conversation_id) references conversations (tenant_id, id) on update no action on delete no action
      ) default character set utf8mb4 collate /*M!100200 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ engine = InnoDB
    `);
  }

  override down(): void {
    this.addSql(`drop table if exists voice_sessions`);
  }
}
