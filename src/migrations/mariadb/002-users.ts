import { Migration } from '@mikro-orm/migrations';

export class CreateUsers extends Migration {
  override up(): void {
    this.addSql(`
      create table if not exists users (
        tenant_id char(36) not null,
        id char(36) not null,
        created_at datetime(3) not null,
        updated_at datetime(3) not null,
        external_id varchar(255) not null,
        username varchar(255) not null,
        nickname varchar(255) null,
        email varchar(320) null,
        phone varchar(16) null,
        metadata longtext not null,
        role varchar(32) not null default 'user',
        status varchar(32) not null default 'active',
        version bigint not null default 1,
        primary key (tenant_id, id),
        constraint users_external_id_unique unique (tenant_id, external_id),
        constraint users_role_check check (role in ('user', 'admin', 'super_admin')),
        constraint users_status_check check (status in ('active', 'inactive', 'banned')),
        constraint users_tenant_id_foreign foreign key (tenant_id) references tenants (id) on update no action on delete no action
      ) default character set utf8mb4 collate /*M!100200 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ engine = InnoDB
    `);
  }

  override down(): void {
    this.addSql(`drop table if exists users`);
  }
}
