import type { SqlEntityManager } from '@mikro-orm/sql';
import { VoiceSession } from '../entities/voice-session.js';
import type { Row } from './compiled-table.js';
import { type Page, type PageRequest, resolvePage, toPage } from './page.js';
import { ExternallyKeyedRepository } from './externally-keyed.repository.js';

export class VoiceSessionRepository extends ExternallyKeyedRepository<VoiceSession> {
  constructor(em: SqlEntityManager) {
    super(em, VoiceSession);
  }

  /** A user's voice sessions, the newest first. */
  async readPageOfUser(userId: string, request: PageRequest = {}): Promise<Page<Row<VoiceSession>>> {
    const { after, limit } = resolvePage(request);
    const id = this.table.column('id');
    const where = `${this.table.column('userId')} = ?${after === undefined ? '' : ` and ${id} < ?`}`;
    const values = after === undefined ? [userId] : [userId, after];
    return toPage(await this.readWhere(where, values, `order by ${id} desc limit ?`, [limit + 1]), limit);
  }

  /** The voice sessions of one conversation, the oldest first. */
  async readOfConversation(conversationId: string): Promise<Row<VoiceSession>[]> {
    const where = `${this.table.column('conversationId')} = ?`;
    return this.readWhere(where, [conversationId], `order by ${this.table.column('id')}`);
  }
}
