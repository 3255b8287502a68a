import { Migration } from '@mikro-orm/migrations';
import type { FillingMigration } from '../../database/engine.js';
import { fillDocumentTerms } from '../../database/fill-document-terms.js';

export class CreateDocumentSearch extends Migration implements FillingMigration {
  override up(): void {
    // What an interrupted migration has filled in would be there twice.
    this.addSql('drop table if exists document_terms');
    this.addSql(`
      create table document_terms (
        tenant_id char(36) not null,
        document_id char(36) not null,
        terms longtext not null,
        primary key (tenant_id, document_id),
        fulltext index document_terms_index (terms),
        constraint document_terms_document_foreign foreign key (tenant_id, document_id) references documents (tenant_id, id) on update no action on delete cascade
      ) default character set utf8mb4 collate /*M!100200 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */ engine = InnoDB
    `);
  }

  override down(): void {
    this.addSql('drop table if exists document_terms');
  }

  fill = fillDocumentTerms;
}
