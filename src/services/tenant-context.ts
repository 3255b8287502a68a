import { digestOf } from './digest.js';
import type { Stats } from './stats.service.js';
import { ApiKeysService } from './api-keys.service.js';
import { ConversationsService } from './conversations.service.js';
import { DocumentsService } from './documents.service.js';
import { MessagesService } from './messages.service.js';
import { TasksService } from './tasks.service.js';
import type { TenantScope } from './tenant-scope.js';
import type { ReadOptions } from './transactions.js';
import type { UnitOfWork } from './unit-of-work.js';
import { UsageService } from './usage.service.js';
import { UsersService } from './users.service.js';
import { VoiceSessionsService } from './voice-sessions.service.js';

/** One tenant's data: everything reached from here is this tenant's, and nothing here can reach another's. */
export class TenantContext {
  readonly slug: string;
  readonly users: UsersService;
  readonly apiKeys: ApiKeysService;
  readonly conversations: ConversationsService;
  readonly messages: MessagesService;
  readonly documents: DocumentsService;
  readonly voiceSessions: VoiceSessionsService;
  readonly usage: UsageService;
  readonly tasks: TasksService;
  readonly #scope: TenantScope;
  readonly #readStats: (tenantId: string) => Promise<Stats>;

  constructor(slug: string, scope: TenantScope, readStatsOf: (tenantId: string) => Promise<Stats>) {
    this.slug = slug;
    this.#scope = scope;
    this.#readStats = readStatsOf;
    this.users = new UsersService(scope);
    this.apiKeys = new ApiKeysService(scope);
    this.conversations = new ConversationsService(scope);
    this.messages = new MessagesService(scope);
    this.documents = new DocumentsService(scope);
    this.voiceSessions = new VoiceSessionsService(scope);
    this.usage = new UsageService(scope);
    this.tasks = new TasksService(scope);
  }

  /**
   * A unit of work of your own: managed entities, one commit when `work` resolves, nothing written when it throws. Calls of services
   * and other units of work inside it join its transaction.
   */
  async transaction<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.#scope.write(work);
  }

  /**
   * A unit of work that only reads; it has no transaction of its own. With `{ replica: true }` it, and every call of a service inside
   * it, reads from a replica, which may lag behind; nothing can be written there. Inside a transaction it reads what that one sees.
   * Where no replica answers, the database itself does, so `work` may be called again and should only read.
   */
  async read<T>(work: (unit: UnitOfWork) => Promise<T>, options?: ReadOptions): Promise<T> {
    return this.#scope.read(work, options);
  }

  /** The rows of this tenant by table, and the size of the whole database. */
  async stats(): Promise<Stats> {
    return this.#readStats(await this.#scope.readableId());
  }

  /**
   * One digest (SHA-256, in hexadecimal digits) of all rows of this tenant, idempotency keys aside, as they are at one moment. Two imports of the same archives
   * have the same one on every engine, and so has a copy of the tenant; any other difference, of a character, of the order of messages,
   * of a null, changes it. Not part of it are ids, `createdAt`, `updatedAt`, and other times that only tell when an import ran. On
   * SQLite, which has one connection, other calls of this process wait until it is done.
   */
  async digest(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<string> {
    return this.#scope.snapshot(({ em, users }) => digestOf(em, users.tenantId, options.signal));
  }
}
