import type { SqlEntityManager } from '@mikro-orm/sql';
import { Document } from '../entities/document.js';
import type { Row } from './compiled-table.js';
import { TenantOwnedRepository } from './tenant-owned.repository.js';

export class DocumentRepository extends TenantOwnedRepository<Document> {
  constructor(em: SqlEntityManager) {
    super(em, Document);
  }

  async readByExternalId(externalId: string): Promise<Row<Document> | undefined> {
    return this.readOne(`${this.table.column('externalId')} = ?`, [externalId]);
  }
}
