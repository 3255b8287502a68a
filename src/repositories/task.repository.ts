import type { SqlEntityManager } from '@mikro-orm/sql';
import { Task } from '../entities/task.js';
import type { Row } from './compiled-table.js';
import type { Page, PageRequest } from './page.js';
import { byKey } from './read-plans.js';
import { runPlanIn } from './statement.js';
import { TenantOwnedRepository } from './tenant-owned.repository.js';

export class TaskRepository extends TenantOwnedRepository<Task> {
  constructor(em: SqlEntityManager) {
    super(em, Task);
  }

  /** @throws NotFoundError when the tenant has no such task. */
  async readByWorkflowId(workflowId: string): Promise<Row<Task>> {
    return runPlanIn(this.em, () => byKey(this.table, this.tenantId, 'workflowId', workflowId));
  }

  /** A user's tasks, the newest first. */
  async readPageOfUser(userId: string, request: PageRequest = {}): Promise<Page<Row<Task>>> {
    return this.readPageOf('userId', userId, request);
  }
}
