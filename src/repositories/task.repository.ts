import type { SqlEntityManager } from '@mikro-orm/sql';
import { isStorable } from '../entities/rules.js';
import { Task } from '../entities/task.js';
import { NotFoundError } from '../errors.js';
import type { Row } from './compiled-table.js';
import type { Page, PageRequest } from './page.js';
import { TenantOwnedRepository } from './tenant-owned.repository.js';

export class TaskRepository extends TenantOwnedRepository<Task> {
  constructor(em: SqlEntityManager) {
    super(em, Task);
  }

  /** @throws NotFoundError when the tenant has no such task. */
  async readByWorkflowId(workflowId: string): Promise<Row<Task>> {
    const where = `${this.table.column('workflowId')} = ?`;
    const row = isStorable(workflowId) ? await this.readOne(where, [workflowId]) : undefined;
    if (!row) throw new NotFoundError(this.label, workflowId);
    return row;
  }

  /** A user's tasks, the newest first. */
  async readPageOfUser(userId: string, request: PageRequest = {}): Promise<Page<Row<Task>>> {
    return this.readPageOf('userId', userId, request);
  }
}
