import type { Transaction } from '@mikro-orm/core';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { documentTerms } from '../search/document-terms.js';
import type { BulkConnection } from './engine.js';

/** A document may have several megabytes. */
const BATCH = 20;
/** Lies before every id. */
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

interface DocumentRow {
  readonly tenant_id: string;
  readonly id: string;
  readonly title: string;
  readonly content: string;
}

/** Makes the terms of all documents of all tenants, a few documents at a time. */
export async function fillDocumentTerms(
  connection: AbstractSqlConnection & BulkConnection,
  transaction?: Transaction,
): Promise<void> {
  const sql = `select tenant_id, id, title, content from documents
                where tenant_id > ? or (tenant_id = ? and id > ?) order by tenant_id, id limit ${String(BATCH)}`;
  let [tenantId, id] = [BEFORE_ALL, BEFORE_ALL];
  for (;;) {
    const batch = await connection.execute<DocumentRow[]>(sql, [tenantId, tenantId, id], 'all', transaction);
    const rows = batch.map((row) => [row.tenant_id, row.id, documentTerms({ tenantId: row.tenant_id, ...row })]);
    await connection.insertMany(connection.documentTerms.insert, rows, transaction);
    const last = batch.at(-1);
    if (!last || batch.length < BATCH) return;
    [tenantId, id] = [last.tenant_id, last.id];
  }
}
