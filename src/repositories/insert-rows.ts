import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Document } from '../entities/document.js';
import { optionalTenantIdOf } from '../entities/tenant-limit.js';
import { TenantMismatchError } from '../errors.js';
import { compiledTableOf, type Row } from './compiled-table.js';
import { addDocumentTerms } from './document-terms.js';
import { connectionOf } from './statement.js';

/**
 * Inserts rows in one go, by a compiled statement, within the running transaction, and what is derived from them. Whoever calls it has
 * judged them by the rules; it is no method of a repository, so that nobody else can.
 */
export async function insertRows(
  em: SqlEntityManager,
  entity: EntityClass<object>,
  rows: readonly object[],
): Promise<void> {
  if (rows.length === 0) return;
  const tenantId = optionalTenantIdOf(em);
  const ownerOf = (row: { readonly tenantId?: string; readonly id?: string }) => row.tenantId ?? row.id;
  const stranger = tenantId !== undefined && rows.some((row) => ownerOf(row) !== tenantId);
  if (stranger) throw new TenantMismatchError(entity.name);
  const table = compiledTableOf(em, entity);
  // One row's values at a time, so that a batch is held in memory once.
  const values = (function* () {
    for (const row of rows) yield table.values(row);
  })();
  await connectionOf(em).insertMany(table.bulk, values, em.getTransactionContext());
  if (entity === Document) await addDocumentTerms(em, rows as readonly Row<Document>[]);
}
