import { Migration } from '@mikro-orm/migrations';

export class CreateDocuments extends Migration {
  override up(): void {
    this.addSql(`
      create table "documents" (
        "tenant_id" text not null,
        "id" text not null,
        "created_at" datetime not null,
        "updated_at" datetime not null,
        "external_id" text not null,
        "title" text not null,
        "content" text not null,
        "content_type" text not null default 'text/plain',
        "source" text null,
        "checksum" text not null,
        "metadata" json not null,
        "status" text check ("status" in ('active', 'archived', 'deleted')) not null default 'active',
        "version" integer not null default 1,
        primary key ("tenant_id", "id"),
        constraint "documents_tenant_id_foreign" foreign key ("tenant_id") references "tenants" ("id") on update no action on delete no action
      )
    `);
    this.addSql(`create unique index "documents_external_id_unique" on "documents" ("tenant_id", "external_id")`);
  }

  override down(): void {
    this.addSql(`drop table "documents"`);
  }
}
