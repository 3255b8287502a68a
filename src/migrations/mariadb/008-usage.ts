import { Migration } from '@mikro-orm/migrations';

export class CreateUsage extends Migration {
  override up(): void {
    this.addSql(`
      create table if not exists usage_records (
        tenant_id char(36) not null,
        id char(36) not null,
        created_at datetime(3) not null,
        updated_at datetime(3) not null,
        user_id char(36) null,
        subject varchar(36) not null,
        day varchar(10) not null,
        provider varchar(100) not null,
        model varchar(200) not null,
        requests bigint not null default 0,
        prompt_tokens bigint not null default 0,
        completion_tokens bigint not null default 0,
        audio_seconds double not null default 0,
        cost_usd numeric(15,6) not null default '0',
        primary key (tenant_id, id),
        index usage_records_user_index (tenant_id, user_id),
        constraint usage_records_day_unique unique (tenant_id, day, subject, provider, model),
        constraint usage_records_tenant_id_foreign foreign key (tenant_id) references tenants (id) on update no action on delete no action,
        constraint usage_records_tenant_id_user_id_foreign foreign key (tenant_id, user_id) references users (tenant_id, id) on update no action on delete no action
      ) default character set utf8mb4 collate /*M!100200 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ engine = InnoDB
    `);
  }

  override down(): void {
    this.addSql(`drop table if exists usage_records`);
  }
}
