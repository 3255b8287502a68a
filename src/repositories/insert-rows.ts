import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Document } from '../entities/document.js';
import { compiledTableOf, type Row } from './compiled-table.js';
import { addDocumentTerms, boundConnection } from './document-terms.js';

/** Inserts rows in one go, by a compiled statement, within the running transaction, and what is derived from them. */
export async function insertRows(
  em: SqlEntityManager,
  entity: EntityClass<object>,
  rows: readonly object[],
): Promise<void> {
  if (rows.length === 0) return;
  const table = compiledTableOf(em, entity);
  // One row's values at a time, so that a batch is held in memory once.
  const values = (function* () {
    for (const row of rows) yield table.values(row);
  })();
  await boundConnection(em).insertMany(table.bulk, values, em.getTransactionContext());
  if (entity === Document) await addDocumentTerms(em, rows as readonly Row<Document>[]);
}
