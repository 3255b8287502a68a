import { Migration } from '@mikro-orm/migrations';

/** What quotas by the month are counted in; made of the messages again where it is lost. */
export class CreateQuotaMonths extends Migration {
  override up(): void {
    this.addSql(`
      create table "quota_months" (
        "tenant_id" uuid not null,
        "month" char(7) not null,
        "messages" bigint not null,
        "tokens" bigint not null,
        primary key ("tenant_id", "month"),
        constraint "quota_months_tenant_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete cascade
      )
    `);
  }

  override down(): void {
    this.addSql('drop table "quota_months"');
  }
}
