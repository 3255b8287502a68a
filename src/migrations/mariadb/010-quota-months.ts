import { Migration } from '@mikro-orm/migrations';

/** What quotas by the month are counted in; made of the messages again where it is lost. */
export class CreateQuotaMonths extends Migration {
  override up(): void {
    this.addSql(`
      create table if not exists quota_months (
        tenant_id char(36) not null,
        month char(7) not null,
        messages bigint not null,
        tokens bigint not null,
        primary key (tenant_id, month),
        constraint quota_months_tenant_foreign foreign key (tenant_id) references tenants (id) on update no action on delete cascade
      ) default character set utf8mb4 collate /*M!100200 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ engine = InnoDB
    `);
  }

  override down(): void {
    this.addSql('drop table if exists quota_months');
  }
}
