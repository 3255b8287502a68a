import type { SqlEntityManager } from '@mikro-orm/sql';
import { ApiKey } from '../entities/api-key.js';
import type { Row } from './compiled-table.js';
import { TenantOwnedRepository } from './tenant-owned.repository.js';

export class ApiKeyRepository extends TenantOwnedRepository<ApiKey> {
  constructor(em: SqlEntityManager) {
    super(em, ApiKey);
  }

  async readByPrefix(prefix: string): Promise<Row<ApiKey> | undefined> {
    return this.readOne(`${this.table.column('prefix')} = ?`, [prefix]);
  }
}
