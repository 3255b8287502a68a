import type { SqlEntityManager } from '@mikro-orm/sql';
import { User } from '../entities/user.js';
import type { Row } from './compiled-table.js';
import { TenantOwnedRepository } from './tenant-owned.repository.js';

export class UserRepository extends TenantOwnedRepository<User> {
  constructor(em: SqlEntityManager) {
    super(em, User);
  }

  async readByExternalId(externalId: string): Promise<Row<User> | undefined> {
    return this.readOne(`${this.table.column('externalId')} = ?`, [externalId]);
  }
}
