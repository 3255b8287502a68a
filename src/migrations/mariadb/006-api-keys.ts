import { Migration } from '@mikro-orm/migrations';

export class CreateApiKeys extends Migration {
  override up(): void {
    this.addSql(`
      create table if not exists api_keys (
        tenant_id char(36) not null,
        id char(36) not null,
        created_at datetime(3) not null,
        updated_at datetime(3) not null,
        user_id char(36) null,
        name varchar(200) not null,
        prefix varchar(16) not null,
        hash varchar(64) not null,
        scopes longtext not null,
        expires_at datetime(3) null,
        last_used_at datetime(3) null,
        status varchar(32) not null default 'active',
        version bigint not null default 1,
        primary key (tenant_id, id),
        index api_keys_user_index (tenant_id, user_id),
        constraint api_keys_prefix_unique unique (tenant_id, prefix),
        constraint api_keys_status_check check (status in ('active', 'revoked')),
        constraint api_keys_tenant_id_foreign foreign key (tenant_id) references tenants (id) on update no action on delete no action,
        constraint api_keys_tenant_id_user_id_foreign foreign key (tenant_id, user_id) references users (tenant_id, id) on update no action on delete no action
      ) default character set utf8mb4 collate /*M!100200 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ engine = InnoDB
    `);
  }

  override down(): void {
    this.addSql(`drop table if exists api_keys`);
  }
}
