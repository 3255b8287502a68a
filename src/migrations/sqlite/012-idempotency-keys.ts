import { Migration } from '@mikro-orm/migrations';

export class CreateIdempotencyKeys extends Migration {
  override up(): void {
    this.addSql(`
      create table "idempotency_keys" (
        "tenant_id" text not null,
        "id" text not null,
        "created_at" datetime not null,
        "updated_at" datetime not null,
        "operation" text not null,
        "idempotency_key" text not null,
        "digest" text not null,
        "result" json not null,
        primary key ("tenant_id", "id"),
        constraint "idempotency_keys_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action
      )
    `);
    this.addSql(`create index "idempotency_keys_created_index" on "idempotency_keys" ("tenant_id", "created_at")`);
    this.addSql(
      `create unique index "idempotency_keys_operation_unique" on "idempotency_keys" ("tenant_id", "operation", "idempotency_key")`,
    );
  }

  override down(): void {
    this.addSql(`drop table "idempotency_keys"`);
  }
}
