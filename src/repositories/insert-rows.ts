import type { EntityClass } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Document } from '../entities/document.js';
import { optionalTenantIdOf, tenantIdOf } from '../entities/tenant-limit.js';
import { TenantOwned } from '../entities/tenant-owned.js';
import { TenantMismatchError } from '../errors.js';
import { noteChange } from './change-capture.js';
import { compiledTableOf, type Row } from './compiled-table.js';
import { addDocumentTerms } from './document-terms.js';
import { connectionOf } from './statement.js';

/**
 * Inserts rows of the entity manager's tenant in one go, by a compiled statement, within the running transaction, and what is derived
 * from them. Whoever calls it has judged them by the rules; it is no method of a repository, so that nobody else can.
 *
 * @throws TenantMismatchError for a row of another tenant.
 */
export async function insertRows(
  em: SqlEntityManager,
  entity: EntityClass<object>,
  rows: readonly object[],
): Promise<void> {
  if (rows.length === 0) return;
  if ((entity.prototype as object) instanceof TenantOwned) {
    const tenantId = tenantIdOf(em);
    const stranger = rows.find((row) => (row as { tenantId?: unknown }).tenantId !== tenantId);
    if (stranger) throw new TenantMismatchError(entity.name);
  }
  const limit = optionalTenantIdOf(em);
  const ids = rows.map((row) => (row as { readonly id: string }).id);
  if (limit !== undefined) noteChange(em, { tenantId: limit, entity, type: 'insert', ids });
  const table = compiledTableOf(em, entity);
  // One row's values at a time, so that a batch is held in memory once.
  const values = (function* () {
    for (const row of rows) yield table.values(row);
  })();
  await connectionOf(em).insertMany(table.bulk, values, em.getTransactionContext());
  if (entity === Document) await addDocumentTerms(em, rows as readonly Row<Document>[]);
}
