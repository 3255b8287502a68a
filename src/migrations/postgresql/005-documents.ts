import { Migration } from '@mikro-orm/migrations';

export class CreateDocuments extends Migration {
  override up(): void {
    this.addSql(`
      create table "documents" (
        "tenant_id" uuid not null,
        "id" uuid not null,
        "created_at" timestamptz(3) not null,
        "updated_at" timestamptz(3) not null,
        "external_id" varchar(255) not null,
        "title" varchar(500) not null,
        "content" text not null,
        "content_type" varchar(127) not null default 'text/plain',
        "source" varchar(1000) null,
        "checksum" varchar(64) not null,
        "metadata" json not null,
        "status" text not null default 'active',
        "version" bigint not null default 1,
        primary key ("tenant_id", "id"),
        constraint "documents_external_id_unique" unique ("tenant_id", "external_id"),
        constraint "documents_status_check" check ("status" in ('active', 'archived', 'deleted')),
        constraint "documents_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action
      )
    `);
  }

  override down(): void {
    this.addSql(`drop table "documents"`);
  }
}
