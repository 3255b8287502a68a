import type { SqlEntityManager } from '@mikro-orm/sql';
import { ApiKeyRepository } from '../repositories/api-key.repository.js';
import { ConversationRepository } from '../repositories/conversation.repository.js';
import { DocumentRepository } from '../repositories/document.repository.js';
import { MessageRepository } from '../repositories/message.repository.js';
import { TaskRepository } from '../repositories/task.repository.js';
import { UsageRepository } from '../repositories/usage.repository.js';
import { UserRepository } from '../repositories/user.repository.js';
import { VoiceSessionRepository } from '../repositories/voice-session.repository.js';

/**
 * One tenant's repositories over one entity manager: what they load is managed, and one commit writes every change. It is valid until
 * the function that received it ends.
 */
export class UnitOfWork {
  /** The ORM itself, limited to the tenant, for whatever no repository has a word for. It takes no SQL. */
  readonly em: SqlEntityManager;
  readonly users: UserRepository;
  readonly apiKeys: ApiKeyRepository;
  readonly conversations: ConversationRepository;
  readonly messages: MessageRepository;
  readonly documents: DocumentRepository;
  readonly voiceSessions: VoiceSessionRepository;
  readonly usage: UsageRepository;
  readonly tasks: TaskRepository;

  constructor(em: SqlEntityManager) {
    this.em = em;
    this.users = new UserRepository(em);
    this.apiKeys = new ApiKeyRepository(em);
    this.conversations = new ConversationRepository(em);
    this.messages = new MessageRepository(em);
    this.documents = new DocumentRepository(em);
    this.voiceSessions = new VoiceSessionRepository(em);
    this.usage = new UsageRepository(em);
    this.tasks = new TaskRepository(em);
  }

  /** Writes what has changed so far, within the transaction; the end of the unit of work does it by itself. */
  async flush(): Promise<void> {
    await this.em.flush();
  }
}
