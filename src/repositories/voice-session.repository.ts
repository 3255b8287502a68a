import type { SqlEntityManager } from '@mikro-orm/sql';
import { VoiceSession } from '../entities/voice-session.js';
import type { Row } from './compiled-table.js';
import { isId } from './id.js';
import type { Page, PageRequest } from './page.js';
import { ExternallyKeyedRepository } from './externally-keyed.repository.js';

export class VoiceSessionRepository extends ExternallyKeyedRepository<VoiceSession> {
  constructor(em: SqlEntityManager) {
    super(em, VoiceSession);
  }

  /** A user's voice sessions, the newest first. */
  async readPageOfUser(userId: string, request: PageRequest = {}): Promise<Page<Row<VoiceSession>>> {
    return this.readPageOf('userId', userId, request);
  }

  /** The voice sessions of one conversation, the oldest first. */
  async readOfConversation(conversationId: string): Promise<Row<VoiceSession>[]> {
    const where = `${this.table.column('conversationId')} = ?`;
    if (!isId(conversationId)) return [];
    return this.readWhere(where, [conversationId], `order by ${this.table.column('id')}`);
  }
}
