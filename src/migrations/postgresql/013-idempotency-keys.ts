import { Migration } from '@mikro-orm/migrations';

export class CreateIdempotencyKeys extends Migration {
  override up(): void {
    this.addSql(`
      create table "idempotency_keys" (
        "tenant_id" uuid not null,
        "id" uuid not null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        "operation" varchar(64) not null,
        "idempotency_key" varchar(255) not null,
        "digest" varchar(64) not null,
        "result" json not null,
        primary key ("tenant_id", "id"),
        constraint "idempotency_keys_operation_unique" unique ("tenant_id", "operation", "idempotency_key"),
        constraint "idempotency_keys_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action
      )
    `);
    this.addSql(`create index "idempotency_keys_created_index" on "idempotency_keys" ("tenant_id", "created_at")`);
  }

  override down(): void {
    this.addSql(`drop table "idempotency_keys"`);
  }
}
