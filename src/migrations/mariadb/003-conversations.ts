import { Migration } from '@mikro-orm/migrations';

export class CreateConversations extends Migration {
  override up(): void {
    this.addSql(`
      create table if not exists conversations (
        tenant_id char(36) not null,
        id char(36) not null,
        created_at datetime(3) not null,
        updated_at datetime(3) not null,
        user_id char(36) not null,
        external_id varchar(255) null,
        title varchar(500) null,
        summary longtext null,
        metadata longtext not null,
        message_count bigint not null default 0,
        token_count bigint not null default 0,
        last_message_at datetime(3) null,
        status varchar(32) not null default 'active',
        version bigint not null default 1,
        primary key (tenant_id, id),
        index conversations_user_index (tenant_id, user_id, id),
        constraint conversations_external_id_unique unique (tenant_id, external_id),
        constraint conversations_status_check check (status in ('active', 'archived')),
        constraint conversations_tenant_id_foreign foreign key (tenant_id) references tenants (id) on update no action on delete no action,
        constraint conversations_tenant_id_user_id_foreign foreign key (tenant_id, user_id) references users (tenant_id, id) on update no action on delete no action
      ) default character set utf8mb4 collate /*M!100200 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ engine = InnoDB
    `);
  }

  override down(): void {
    this.addSql(`drop table if exists conversations`);
  }
}
