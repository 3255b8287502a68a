import { Migration } from '@mikro-orm/migrations';

/** What quotas by the month are counted in; made of the messages again where it is lost. */
export class CreateQuotaMonths extends Migration {
  override up(): void {
    this.addSql(`
      create table "quota_months" (
        "tenant_id" text not null,
        "month" text not null,
        "messages" integer not null,
        "tokens" integer not null,
        primary key ("tenant_id", "month"),
        foreign key ("tenant_id") references "tenants" ("id") on update no action on delete cascade
      )
    `);
  }

  override down(): void {
    this.addSql('drop table "quota_months"');
  }
}
