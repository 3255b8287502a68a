import { Migration } from '@mikro-orm/migrations';
import type { FillingMigration } from '../../database/engine.js';
import { fillDocumentTerms } from '../../database/fill-document-terms.js';

/**
 * The index keeps no text and knows its rows by number. A row's number must stay, and those of "documents", which has no integer key,
 * may change when the file is compacted, so there is a table between the two.
 */
export class CreateDocumentSearch extends Migration implements FillingMigration {
  override up(): void {
    this.addSql(`
      create table "document_terms" (
        "number" integer primary key,
        "tenant_id" text not null,
        "document_id" text not null,
        unique ("tenant_id", "document_id"),
        foreign key ("tenant_id", "document_id") references "documents" ("tenant_id", "id") on update no action on delete cascade
      )
    `);
    this.addSql(`
      create virtual table "document_terms_index" using fts5 (
        "terms", content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
      )
    `);
    this.addSql(`
      create view "document_terms_input" as select "tenant_id", "document_id", null as "terms" from "document_terms"
    `);
    this.addSql(`
      create trigger "document_terms_insert" instead of insert on "document_terms_input" begin
        insert into "document_terms" ("tenant_id", "document_id") values (new."tenant_id", new."document_id");
        insert into "document_terms_index" ("rowid", "terms") values (last_insert_rowid(), new."terms");
      end
    `);
    this.addSql(`
      create trigger "document_terms_delete" after delete on "document_terms" begin
        delete from "document_terms_index" where "rowid" = old."number";
      end
    `);
  }

  override down(): void {
    this.addSql('drop view "document_terms_input"');
    this.addSql('drop table "document_terms"');
    this.addSql('drop table "document_terms_index"');
  }

  fill = fillDocumentTerms;
}
