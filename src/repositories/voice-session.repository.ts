import type { SqlEntityManager } from '@mikro-orm/sql';
import { VoiceSession } from '../entities/voice-session.js';
import type { Row } from './compiled-table.js';
import type { Page, PageRequest } from './page.js';
import { ExternallyKeyedRepository } from './externally-keyed.repository.js';

export class VoiceSessionRepository extends ExternallyKeyedRepository<VoiceSession> {
  constructor(em: SqlEntityManager) {
    super(em, VoiceSession);
  }

  /** A user's voice sessions, the newest first. */
  async readPageOfUser(userId: string, request: PageRequest = {}): Promise<Page<Row<VoiceSession>>> {
    return this.readPageWhere(request, 'desc', `${this.table.column('userId')} = ?`, [userId]);
  }

  /** The voice sessions of one conversation, the oldest first. */
  async readOfConversation(conversationId: string): Promise<Row<VoiceSession>[]> {
    const where = `${this.table.column('conversationId')} = ?`;
    return this.readWhere(where, [conversationId], `order by ${this.table.column('id')}`);
  }
}
