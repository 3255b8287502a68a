import { Migration } from '@mikro-orm/migrations';

export class CreateDocuments extends Migration {
  override up(): void {
    this.addSql(`
      create table if not exists documents (
        tenant_id char(36) not null,
        id char(36) not null,
        created_at datetime(3) not null,
        updated_at datetime(3) not null,
        external_id varchar(255) not null,
        title varchar(500) not null,
        content longtext not null,
        content_type varchar(127) not null default 'text/plain',
        source varchar(1000) null,
        checksum varchar(64) not null,
        metadata longtext not null,
        status varchar(32) not null default 'active',
        version bigint not null default 1,
        primary key (tenant_id, id),
        constraint documents_external_id_unique unique (tenant_id, external_id),
        constraint documents_status_check check (status in ('active', 'archived', 'deleted')),
        constraint documents_tenant_id_foreign foreign key (tenant_id) references tenants (id) on update no action on delete no action
      ) default character set utf8mb4 collate /*M!100200 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ engine = InnoDB
    `);
  }

  override down(): void {
    this.addSql(`drop table if exists documents`);
  }
}
