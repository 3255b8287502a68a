import { Conversation } from '../entities/conversation.js';
import type { Row } from '../repositories/compiled-table.js';
import type { Page, PageRequest } from '../repositories/page.js';
import { pageOf } from '../repositories/read-plans.js';
import type { ChangeOptions } from '../repositories/tenant-owned.repository.js';
import type { CreateOptions } from './once.js';
import type { TenantScope } from './tenant-scope.js';

export interface ConversationInput {
  readonly userId: string;
  readonly title?: string | null;
  /** The caller's own key, unique within the tenant. */
  readonly externalId?: string | null;
  readonly summary?: string | null;
  readonly metadata?: Record<string, unknown>;
}

export type ConversationChanges = Partial<Pick<ConversationInput, 'title' | 'summary' | 'metadata'>>;

export interface ConversationListRequest extends PageRequest {
  readonly userId: string;
}

const CHANGEABLE = ['title', 'summary', 'metadata'] as const;
const SETTABLE = ['externalId', ...CHANGEABLE] as const;

export class ConversationsService {
  readonly #scope: TenantScope;

  constructor(scope: TenantScope) {
    this.#scope = scope;
  }

  /** @throws ValidationError, ReferenceNotFoundError when the tenant has no such user, AlreadyExistsError, IdempotencyConflictError. */
  async start(input: ConversationInput, options: CreateOptions = {}): Promise<Row<Conversation>> {
    const call = { ...options, entity: Conversation, operation: 'conversations.start', input };
    return this.#scope.create(call, async ({ em, conversations, users }) => {
      const references = ({ userId }: { readonly userId: string }) => ({ user: users.ref(userId) });
      const conversation = conversations.createFrom(input, SETTABLE, references, ['userId']);
      await em.flush();
      return conversations.toRow(conversation);
    });
  }

  /** @throws NotFoundError when the tenant has no such conversation. */
  get(id: string): Promise<Row<Conversation>> {
    return this.#scope.get(Conversation, id);
  }

  /** @throws NotFoundError when the tenant has no such conversation. */
  getByExternalId(externalId: string): Promise<Row<Conversation>> {
    return this.#scope.getBy(Conversation, 'externalId', externalId);
  }

  /** Changes what is named in `changes` and leaves the rest. @throws VersionConflictError when it is not at `ifVersion` any more. */
  async update(id: string, changes: ConversationChanges, options: ChangeOptions = {}): Promise<Row<Conversation>> {
    return this.#scope.write(({ conversations }) => conversations.change(id, changes, CHANGEABLE, options));
  }

  /** An archived conversation can be read but takes no messages. Archiving twice is the same as once. */
  async archive(id: string): Promise<Row<Conversation>> {
    return this.#scope.write(({ conversations }) => conversations.change(id, { status: 'archived' }, ['status']));
  }

  /** Makes an archived conversation active again. */
  async reopen(id: string): Promise<Row<Conversation>> {
    return this.#scope.write(({ conversations }) => conversations.change(id, { status: 'active' }, ['status']));
  }

  /** A user's conversations, the newest first, cut by key: new ones do not shift later pages. */
  list(request: ConversationListRequest): Promise<Page<Row<Conversation>>> {
    return this.#scope.query(Conversation, (table, tenantId) =>
      pageOf(table, tenantId, 'userId', request.userId, request),
    );
  }
}
