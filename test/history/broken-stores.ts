import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BoundSqliteConnection } from '../../src/database/sqlite-driver.js';
import { DatabaseUnavailableError, IdempotencyConflictError } from '../../src/errors.js';
import type { HistoryRequest } from '../../src/repositories/message.repository.js';
import type { PersistenceManager } from '../../src/services/persistence-manager.js';
import type { TenantContext } from '../../src/services/tenant-context.js';
import type { Rule } from './check-history.js';
import type { SeenMessage } from './history.js';
import { RolledBack, type Store, storeOf } from './workload.js';

/** What a broken store stands on: the library, and a database without the unique index that would refuse some of the bugs. */
export interface Ground {
  readonly persistence: PersistenceManager;
  readonly tenant: TenantContext;
  readonly tenantId: string;
}

export interface BrokenStore {
  readonly bug: string;
  readonly breaks: Rule;
  readonly build: (ground: Ground) => Store;
}

/** How many calls go well between two that do not. */
const RARELY = 10;

export const BROKEN_STORES: readonly BrokenStore[] = [
  {
    bug: 'the next number is the highest plus one, read without a lock',
    breaks: 'unique',
    build: (ground) =>
      numbered(ground, async (conversation) => {
        const [last] = await ground.tenant.messages.history(conversation, { last: 1 });
        return (last?.seq ?? 0) + 1;
      }),
  },
  {
    bug: 'numbers come from a generator that no transaction rolls back',
    breaks: 'dense',
    build: (ground) => numbered(ground, generator()),
  },
  {
    bug: 'each of two servers takes numbers in blocks of ten',
    breaks: 'order',
    build(ground) {
      const [block, blocks] = [10, generator()];
      const servers = [new Map<string, number>(), new Map<string, number>()];
      let calls = 0;
      return numbered(ground, async (conversation) => {
        const server = servers[(calls += 1) % servers.length];
        const next = (server?.get(conversation) ?? 0) + 1;
        const seq = next % block === 1 ? (await blocks(conversation)) * block - block + 1 : next;
        server?.set(conversation, seq);
        return seq;
      });
    },
  },
  {
    bug: 'the counter of messages is read, raised in memory and written back',
    breaks: 'count',
    build({ persistence, tenant, tenantId }) {
      const raise = async (conversation: string): Promise<void> => {
        const { messageCount } = await tenant.conversations.get(conversation);
        const sql = 'update conversations set message_count = ? where tenant_id = ? and id = ?';
        await persistence.withEntityManager((em) => em.execute(sql, [messageCount + 1, tenantId, conversation]));
      };
      return numbered({ persistence, tenant, tenantId }, generator(), raise);
    },
  },
  {
    bug: 'an append is acknowledged before its commit, which fails',
    breaks: 'kept',
    build: ({ tenant }) =>
      changed(tenant, ({ isUnlucky }) => ({
        async append(conversation, content, idempotencyKey) {
          const { promise, resolve } = Promise.withResolvers<SeenMessage>();
          const committed = tenant.transaction(async ({ messages }) => {
            resolve(await messages.append(conversation, { role: 'user', content }, { idempotencyKey }));
            if (isUnlucky()) throw new RolledBack();
          });
          const swallowed = committed.catch((error: unknown) => {
            if (!(error instanceof RolledBack)) throw error;
          });
          return Promise.race([promise, swallowed.then(() => promise)]);
        },
      })),
  },
  {
    bug: 'an append whose answer is lost after its commit is called a failure',
    breaks: 'phantom',
    build: ({ tenant }) =>
      changed(tenant, ({ store, isUnlucky }) => ({
        async append(...parameters) {
          const message = await store.append(...parameters);
          if (isUnlucky()) throw new DatabaseUnavailableError('the database', 'the connection was lost');
          return message;
        },
      })),
  },
  {
    bug: 'an append whose answer is lost is tried again without a key',
    breaks: 'once',
    build: ({ tenant }) =>
      changed(tenant, ({ store, isUnlucky }) => ({
        async append(...parameters) {
          const message = await store.append(...parameters);
          return isUnlucky() ? store.append(...parameters) : message;
        },
      })),
  },
  {
    bug: 'idempotency keys are remembered by one server of two',
    breaks: 'key',
    build: ({ tenant }) =>
      changed(tenant, ({ store, isUnlucky }) => ({
        append: (conversation, content, key) => store.append(conversation, content, isUnlucky() ? undefined : key),
      })),
  },
  {
    bug: 'the conversation of a call is kept in a field while it waits',
    breaks: 'content',
    build: ({ tenant }) =>
      changed(tenant, ({ store }) => {
        let current = '';
        return {
          async append(conversation, content, key) {
            if (key !== undefined) return store.append(conversation, content, key);
            current = conversation;
            await nextTurn();
            return store.append(current, content);
          },
        };
      }),
  },
  {
    bug: 'a history is sorted by the time of its messages',
    breaks: 'range',
    build: ({ tenant }) =>
      changed(tenant, () => ({
        async history(conversation, request) {
          const messages = await tenant.messages.history(conversation, { last: 10_000 });
          return part(
            messages.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime()),
            request,
          );
        },
      })),
  },
  {
    bug: 'a history comes from a cache that an append does not clear',
    breaks: 'fresh',
    build: ({ tenant }) =>
      changed(tenant, ({ store, isUnlucky }) => {
        const cache = new Map<string, Promise<SeenMessage[]>>();
        return {
          async history(conversation, request) {
            const cached = cache.get(conversation);
            const all = (!isUnlucky() && cached) || store.history(conversation, { last: 10_000 });
            cache.set(conversation, all);
            return part(await all, request);
          },
        };
      }),
  },
  {
    bug: 'every other history is read from a replica that lags',
    breaks: 'forward',
    build: ({ tenant }) =>
      changed(tenant, ({ store, isUnlucky }) => {
        const replica = new Map<string, SeenMessage[]>();
        let reads = 0;
        return {
          async history(conversation, request) {
            const primary = await store.history(conversation, { last: 10_000 });
            if (isUnlucky() || !replica.has(conversation)) replica.set(conversation, primary);
            return part((reads += 1) % 2 === 0 ? primary : (replica.get(conversation) ?? []), request);
          },
        };
      }),
  },
  {
    bug: 'a history is read on a connection on which a transaction is open',
    breaks: 'committed',
    build: ({ persistence, tenant }) =>
      changed(tenant, () => ({
        appendAndRollBack: (conversation, content) =>
          tenant.transaction(async ({ messages }) => {
            await messages.append(conversation, { role: 'user', content });
            await nextTurn();
            throw new RolledBack();
          }),
        async history(conversation, request) {
          await nextTurn();
          const connection = persistence.orm.em.getConnection() as unknown as BoundSqliteConnection;
          const database = await connection.getNativeClient();
          const sql = 'select id, seq, content from messages where conversation_id = ? order by seq';
          return part(database.prepare<[string], SeenMessage>(sql).all(conversation), request);
        },
      })),
  },
];

/** The library's own store but for what is changed. */
function changed(
  tenant: TenantContext,
  change: (parts: { readonly store: Store; readonly isUnlucky: () => boolean }) => Partial<Store>,
): Store {
  const store = storeOf(tenant);
  let calls = 0;
  return { ...store, ...change({ store, isUnlucky: () => (calls += 1) % RARELY === 0 }) };
}

/** A store that numbers messages by itself; keys are kept in memory, as well as one process can. */
function numbered(
  ground: Ground,
  next: (conversation: string) => Promise<number>,
  raise: (conversation: string) => Promise<void> = (conversation) => raiseCount(ground, conversation),
): Store {
  const requests = new Map<string, { readonly content: string; readonly message: Promise<SeenMessage> }>();
  const insert = async (conversation: string, content: string): Promise<SeenMessage> => {
    const message = { id: ground.persistence.sources.ids.next(), seq: await next(conversation), content };
    await insertMessage(ground, conversation, message);
    await raise(conversation);
    return message;
  };
  return {
    ...storeOf(ground.tenant),
    async append(conversation, content, key = content) {
      if (content.includes('\0')) throw new IdempotencyConflictError(key, 'content');
      const request = requests.get(key) ?? { content, message: insert(conversation, content) };
      requests.set(key, request);
      if (request.content !== content) throw new IdempotencyConflictError(key, 'content');
      return request.message;
    },
    async appendAndRollBack(conversation) {
      await next(conversation);
      throw new RolledBack();
    },
  };
}

/** Counts on from one for each conversation. */
function generator(): (conversation: string) => Promise<number> {
  const numbers = new Map<string, number>();
  return async (conversation) => {
    const number = (numbers.get(conversation) ?? 0) + 1;
    numbers.set(conversation, number);
    return number;
  };
}

async function insertMessage(
  { persistence, tenantId }: Ground,
  conversation: string,
  message: SeenMessage,
): Promise<void> {
  const sql =
    'insert into messages (tenant_id, id, created_at, updated_at, conversation_id, seq, role, content) values (?, ?, 0, 0, ?, ?, ?, ?)';
  const values = [tenantId, message.id, conversation, message.seq, 'user', message.content];
  await persistence.withEntityManager((em) => em.execute(sql, values));
}

async function raiseCount({ persistence, tenantId }: Ground, conversation: string): Promise<void> {
  const sql = 'update conversations set message_count = message_count + 1 where tenant_id = ? and id = ?';
  await persistence.withEntityManager((em) => em.execute(sql, [tenantId, conversation]));
}

/** The part of a whole history that was asked for. */
function part(messages: readonly SeenMessage[], request: HistoryRequest): SeenMessage[] {
  if ('last' in request) return messages.slice(-request.last);
  const limit = request.limit ?? 50;
  if ('after' in request) return messages.filter(({ seq }) => seq > request.after).slice(0, limit);
  return messages.filter(({ seq }) => seq < request.before).slice(-limit);
}
