import type { SqlEntityManager } from '@mikro-orm/sql';
import { Conversation } from '../entities/conversation.js';
import type { Row } from './compiled-table.js';
import type { Page, PageRequest } from './page.js';
import { ExternallyKeyedRepository } from './externally-keyed.repository.js';

export class ConversationRepository extends ExternallyKeyedRepository<Conversation> {
  constructor(em: SqlEntityManager) {
    super(em, Conversation);
  }

  /** A user's conversations, the newest first. They are cut by id, which never changes, not by the time of the last message. */
  async readPageOfUser(userId: string, request: PageRequest = {}): Promise<Page<Row<Conversation>>> {
    return this.readPageOf('userId', userId, request);
  }
}
