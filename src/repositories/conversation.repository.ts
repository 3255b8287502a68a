import type { SqlEntityManager } from '@mikro-orm/sql';
import { Conversation } from '../entities/conversation.js';
import type { Row } from './compiled-table.js';
import { type Page, type PageRequest, resolvePage, toPage } from './page.js';
import { ExternallyKeyedRepository } from './externally-keyed.repository.js';

export class ConversationRepository extends ExternallyKeyedRepository<Conversation> {
  constructor(em: SqlEntityManager) {
    super(em, Conversation);
  }

  /** A user's conversations, the newest first. They are cut by id, which never changes, not by the time of the last message. */
  async readPageOfUser(userId: string, request: PageRequest = {}): Promise<Page<Row<Conversation>>> {
    const { after, limit } = resolvePage(request);
    const id = this.table.column('id');
    const where = `${this.table.column('userId')} = ?${after === undefined ? '' : ` and ${id} < ?`}`;
    const values = after === undefined ? [userId] : [userId, after];
    return toPage(await this.readWhere(where, values, `order by ${id} desc limit ?`, [limit + 1]), limit);
  }
}
