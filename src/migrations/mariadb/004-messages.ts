import { Migration } from '@mikro-orm/migrations';

export class CreateMessages extends Migration {
  override up(): void {
    this.addSql(`
      create table if not exists messages (
        tenant_id char(36) not null,
        id char(36) not null,
        created_at datetime(3) not null,
        updated_at datetime(3) not null,
        conversation_id char(36) not null,
        seq bigint not null,
        role varchar(32) not null,
        content longtext not null,
        parts longtext null,
        modality varchar(32) not null default 'text',
        token_count bigint not null default 0,
        \`references\` longtext null,
        metadata longtext null,
        idempotency_key varchar(255) null,
        primary key (tenant_id, id),
        constraint messages_idempotency_key_unique unique (tenant_id, idempotency_key),
        constraint messages_seq_unique unique (tenant_id, conversation_id, seq),
        constraint messages_role_check check (role in ('user', 'assistant', 'system', 'tool')),
        constraint messages_modality_check check (modality in ('text', 'voice', 'image')),
        constraint messages_tenant_id_foreign foreign key (tenant_id) references tenants (id) on update no action on delete no action,
        constraint messages_tenant_id_conversation_id_foreign foreign key (tenant_id, conversation_id) references conversations (tenant_id, id) on update no action on delete cascade
      ) default character set utf8mb4 collate /*M!100200 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ engine = InnoDB
    `);
  }

  override down(): void {
    this.addSql(`drop table if exists messages`);
  }
}
