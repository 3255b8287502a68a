import { Migration } from '@mikro-orm/migrations';

export class CreateTenants extends Migration {
  override up(): void {
    this.addSql(`
      create table if not exists tenants (
        id char(36) not null,
        created_at datetime(3) not null,
        updated_at datetime(3) not null,
        slug varchar(63) not null,
        name varchar(200) not null,
        plan varchar(32) not null default 'free',
        status varchar(32) not null default 'active',
        config longtext not null,
        quota longtext not null,
        version bigint not null default 1,
        primary key (id),
        constraint tenants_slug_unique unique (slug),
        constraint tenants_plan_check check (plan in ('free', 'basic', 'premium', 'enterprise')),
        constraint tenants_status_check check (status in ('active', 'suspended', 'deleted'))
      ) default character set utf8mb4 collate /*M!100200 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ engine = InnoDB
    `);
  }

  override down(): void {
    this.addSql(`drop table if exists tenants`);
  }
}
