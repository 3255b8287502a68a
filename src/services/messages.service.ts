import { Message } from '../entities/message.js';
import type { Row } from '../repositories/compiled-table.js';
import type { AppendOptions, HistoryRequest, MessageInput } from '../repositories/message.repository.js';
import type { TenantScope } from './tenant-scope.js';

export class MessagesService {
  readonly #scope: TenantScope;

  constructor(scope: TenantScope) {
    this.#scope = scope;
  }

  /**
   * Adds a message at the end of a conversation and returns it with its sequence number, one more than the message before has. The
   * conversation's counters change in the same transaction. Under an idempotency key it is appended once, and repeated by itself where
   * the outcome is unknown; the key is never forgotten.
   *
   * @throws ValidationError, NotFoundError, InvalidStateError when the conversation is archived, IdempotencyConflictError.
   */
  append(conversationId: string, message: MessageInput, options: AppendOptions = {}): Promise<Row<Message>> {
    return this.#scope.append(conversationId, message, options);
  }

  /** @throws NotFoundError when the tenant has no such message. */
  get(id: string): Promise<Row<Message>> {
    return this.#scope.get(Message, id);
  }

  /**
   * A part of a conversation, always in the order in which its messages were accepted: `{ last: n }`, `{ after: seq, limit }` or
   * `{ before: seq, limit }`; at most 10,000 messages, 50 unless given.
   *
   * @throws NotFoundError when the tenant has no such conversation.
   */
  history(conversationId: string, request: HistoryRequest = { last: 50 }): Promise<Row<Message>[]> {
    return this.#scope.history(conversationId, request);
  }
}
