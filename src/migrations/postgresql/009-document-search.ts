import { Migration } from '@mikro-orm/migrations';
import type { FillingMigration } from '../../database/engine.js';
import { fillDocumentTerms } from '../../database/fill-document-terms.js';

/**
 * The function is how the index is asked. The planner would read every row of a small table, which is small only because it does not
 * count what is stored out of line; and no index over words is used where row-level security applies, so the function runs as the
 * owner of the table, who is not bound by it, and itself keeps the tenant's role to its tenant.
 */
export class CreateDocumentSearch extends Migration implements FillingMigration {
  override up(): void {
    this.addSql(`
      create table "document_terms" (
        "tenant_id" uuid not null,
        "document_id" uuid not null,
        "terms" tsvector not null,
        primary key ("tenant_id", "document_id"),
        constraint "document_terms_document_foreign" foreign key ("tenant_id", "document_id") references "documents" ("tenant_id", "id") on update no action on delete cascade
      )
    `);
    // Without fastupdate a search never reads entries that wait for being sorted in.
    this.addSql(`create index "document_terms_index" on "document_terms" using gin ("terms") with (fastupdate = off)`);
    this.addSql(`
      create function "documents_with_terms"("tenant" uuid, "condition" tsquery) returns setof uuid
        language sql stable security definer set enable_seqscan = off
        begin atomic
          select "document_id" from "document_terms"
           where "tenant_id" = "tenant" and "terms" @@ "condition"
             and (current_setting('role') <> 'colloquy_tenant' or "tenant" = nullif(current_setting('colloquy.tenant_id', true), '')::uuid);
        end
    `);
    this.addSql('revoke execute on function "documents_with_terms" from public');
  }

  override down(): void {
    this.addSql('drop function "documents_with_terms"');
    this.addSql('drop table "document_terms"');
  }

  fill = fillDocumentTerms;
}
