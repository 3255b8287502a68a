import type Database from 'better-sqlite3';
import { DataSource, type DataSourceOptions, type EntityManager } from 'typeorm';
import type { BenchDatabase, NewMessage, OpenSide } from '../side.js';
import { synchronousOf } from './connections.js';
import { entitiesOf } from './typeorm-entities.js';
import { appendOnce, noConversation, noTenant, rowChunks, rowOf, tokensOf } from './writing.js';

type Entities = ReturnType<typeof entitiesOf>;

function optionsOf({ engine, address, durable, callers }: BenchDatabase, entities: Entities): DataSourceOptions {
  const schemas = Object.values(entities);
  if (engine !== 'sqlite') return { type: 'postgres', url: address, poolSize: callers, entities: schemas };
  return {
    type: 'better-sqlite3',
    database: address,
    enableWAL: true,
    timeout: 5_000,
    prepareDatabase: (database: Database.Database) => void database.pragma(`synchronous = ${synchronousOf(durable)}`),
    entities: schemas,
  };
}

/** The statements of the writes, in the transaction of the manager. */
class Writes {
  readonly #manager: EntityManager;
  readonly #entities: Entities;

  constructor(manager: EntityManager, entities: Entities) {
    this.#manager = manager;
    this.#entities = entities;
  }

  get #messages() {
    return this.#manager.getRepository(this.#entities.messages);
  }

  async append(message: NewMessage) {
    await this.#assertTenant(message.tenantId);
    const first = await this.findByKey(message);
    if (first) return first;
    const now = new Date();
    const row = rowOf(message, await this.#raise(message, 1, message.tokenCount, now), now);
    await this.#messages.insert(row);
    return row;
  }

  async bulk(added: readonly NewMessage[]): Promise<void> {
    const [first] = added;
    if (!first) return;
    const now = new Date();
    await this.#assertTenant(first.tenantId);
    const last = (await this.#raise(first, added.length, tokensOf(added), now)) - added.length;
    for (const rows of rowChunks(added, last, now)) await this.#messages.insert(rows);
  }

  async findByKey({ tenantId, idempotencyKey }: NewMessage) {
    return this.#messages.findOneBy({ tenantId, idempotencyKey });
  }

  async #assertTenant(id: string): Promise<void> {
    const tenants = this.#manager.getRepository(this.#entities.tenants);
    if (!(await tenants.existsBy({ id, status: 'active' }))) throw noTenant(id);
  }

  /** Locks the conversation, counts messages that are about to be written, and gives how many there are with them. */
  async #raise(
    { tenantId, conversationId: id }: NewMessage,
    count: number,
    tokens: number,
    now: Date,
  ): Promise<number> {
    const conversations = this.#manager.getRepository(this.#entities.conversations);
    const update = conversations
      .createQueryBuilder()
      .update()
      .set({
        messageCount: () => 'message_count + :count',
        tokenCount: () => 'token_count + :tokens',
        lastMessageAt: now,
        updatedAt: now,
      })
      .where({ tenantId, id, status: 'active' })
      .setParameters({ count, tokens });
    // TypeORM knows of no RETURNING in SQLite.
    if (this.#manager.dataSource.driver.isReturningSqlSupported('update')) {
      const { raw } = await update.returning('message_count').execute();
      const [raised] = raw as { message_count: string }[];
      if (!raised) throw noConversation(id);
      return Number(raised.message_count);
    }
    const { affected } = await update.execute();
    if (affected !== 1) throw noConversation(id);
    return (await conversations.findOneOrFail({ select: { messageCount: true }, where: { tenantId, id } }))
      .messageCount;
  }
}

/** TypeORM on better-sqlite3 or on a pool of `pg`. */
export const open: OpenSide = async (database, { tenantId, userId }) => {
  const entities = entitiesOf(database.engine);
  const source = await new DataSource(optionsOf(database, entities)).initialize();
  const messages = source.getRepository(entities.messages);
  const conversations = source.getRepository(entities.conversations);
  return {
    append: async (message) =>
      appendOnce<unknown>(
        async () => source.transaction(async (manager) => new Writes(manager, entities).append(message)),
        async () => new Writes(source.manager, entities).findByKey(message),
      ),
    last50: async (conversationId) => {
      const rows = await messages.find({ where: { tenantId, conversationId }, order: { seq: 'DESC' }, take: 50 });
      return rows.toReversed();
    },
    byId: async (id) => messages.findOneBy({ tenantId, id }),
    list: async () => conversations.find({ where: { tenantId, userId }, order: { id: 'DESC' }, take: 21 }),
    bulk: async (added) => source.transaction(async (manager) => new Writes(manager, entities).bulk(added)),
    close: async () => source.destroy(),
  };
};
