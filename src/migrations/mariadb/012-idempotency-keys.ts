import { Migration } from '@mikro-orm/migrations';

export class CreateIdempotencyKeys extends Migration {
  override up(): void {
    this.addSql(`
      create table if not exists idempotency_keys (
        tenant_id char(36) not null,
        id char(36) not null,
        created_at datetime(3) not null,
        updated_at datetime(3) not null,
        operation varchar(64) not null,
        idempotency_key varchar(255) not null,
        digest varchar(64) not null,
        result longtext not null,
        primary key (tenant_id, id),
        index idempotency_keys_created_index (tenant_id, created_at),
        constraint idempotency_keys_operation_unique unique (tenant_id, operation, idempotency_key),
        constraint idempotency_keys_tenant_id_foreign foreign key (tenant_id) references tenants (id) on update no action on delete no action
      ) default character set utf8mb4 collate /*M!100200 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ engine = InnoDB
    `);
  }

  override down(): void {
    this.addSql(`drop table if exists idempotency_keys`);
  }
}
