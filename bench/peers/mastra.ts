import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import type { MastraDBMessage } from '@mastra/core/memory';
import type { MastraCompositeStore, MemoryStorage } from '@mastra/core/storage';
import { LibSQLStore, type SqliteClient } from '@mastra/libsql';
import { PostgresStore } from '@mastra/pg';
import type { BenchDatabase, Fixture, OpenSide } from '../side.js';
import { openPool, openSqlite, synchronousOf } from './connections.js';

interface Opened {
  readonly store: MastraCompositeStore;
  readonly memory: MemoryStorage;
}

/** A store, and the part of it that keeps conversations, with tables of its own. */
async function openStore(database: BenchDatabase): Promise<Opened> {
  return database.engine === 'sqlite' ? openLibSql(database) : openPostgreSql(database);
}

async function memoryOf(store: MastraCompositeStore): Promise<MemoryStorage> {
  const memory = await store.getStore('memory');
  if (!memory) throw new Error('The store of Mastra has no memory.');
  await memory.init();
  return memory;
}

async function openPostgreSql({ address, callers }: BenchDatabase): Promise<Opened> {
  const store = new PostgresStore({ id: 'bench', connectionString: address, max: callers });
  return { store, memory: await memoryOf(store) };
}

/**
 * A file beside that of Colloquy, for libSQL brings a library of SQLite, and two of those in one process have no locks against each other.
 * It has the pragmas that the store sets where it makes the client, but for `synchronous`: the store, which sets that too, leaves no choice.
 */
async function openLibSql({ address, durable }: BenchDatabase): Promise<Opened> {
  const client = createClient({ url: pathToFileURL(`${address}.mastra`).href, timeout: 5_000 });
  const settings = ['journal_mode = wal', 'temp_store = memory', 'cache_size = -16000', 'mmap_size = 134217728'];
  for (const setting of settings) await client.execute(`pragma ${setting}`);
  const store = new LibSQLStore({ id: 'bench', client: client as SqliteClient });
  const memory = await memoryOf(store);
  await client.execute(`pragma synchronous = ${synchronousOf(durable)}`);
  return { store, memory };
}

interface SourceConversation {
  readonly id: string;
  readonly user_id: string;
  readonly title: string | null;
}

interface SourceMessage {
  readonly id: string;
  readonly conversation_id: string;
  readonly role: string;
  readonly content: string;
}

/** The rows of the tenant in the tables of Colloquy. */
async function readSource(database: BenchDatabase, tenantId: string) {
  const conversations = `select id, user_id, title from conversations where tenant_id = $1 order by id`;
  const messages = `select id, conversation_id, role, content from messages where tenant_id = $1 order by conversation_id, seq`;
  const rowsOf = async (rows: <Row>(sql: string) => Promise<Row[]> | Row[]) => ({
    conversations: await rows<SourceConversation>(conversations),
    messages: await rows<SourceMessage>(messages),
  });
  if (database.engine === 'sqlite') {
    const client = openSqlite(database);
    const rows = await rowsOf(<Row>(sql: string) => client.prepare(sql.replace('$1', '?')).all(tenantId) as Row[]);
    client.close();
    return rows;
  }
  const pool = openPool({ ...database, callers: 1 });
  const rows = await rowsOf(async <Row>(sql: string) => (await pool.query(sql, [tenantId])).rows as Row[]);
  await pool.end();
  return rows;
}

function messageOf(
  { id, content, role = 'user' }: { id: string; content: string; role?: string },
  threadId: string,
  resourceId: string,
  createdAt: Date,
): MastraDBMessage {
  return {
    id,
    threadId,
    resourceId,
    role: role === 'user' ? 'user' : 'assistant',
    createdAt,
    content: { format: 2, parts: [{ type: 'text', text: content }] },
  };
}

const CHUNK_MESSAGES = 1_000;

/** Copies the tenant's rows, and gives the user of each conversation: a message names it, too. */
async function copy(memory: MemoryStorage, database: BenchDatabase, { tenantId }: Fixture) {
  const { conversations, messages } = await readSource(database, tenantId);
  const users = new Map<string, string>();
  // What Mastra orders by, so no two are the same, and all are past.
  let moment = Date.now() - conversations.length - messages.length;
  for (const { id, user_id: resourceId, title } of conversations) {
    users.set(id, resourceId);
    const createdAt = new Date((moment += 1));
    await memory.saveThread({ thread: { id, resourceId, title: title ?? '', createdAt, updatedAt: createdAt } });
  }
  const rows = messages.map((message) => {
    const { conversation_id: threadId } = message;
    return messageOf(message, threadId, users.get(threadId) ?? '', new Date((moment += 1)));
  });
  for (let first = 0; first < rows.length; first += CHUNK_MESSAGES) {
    await memory.saveMessages({ messages: rows.slice(first, first + CHUNK_MESSAGES) });
  }
  return users;
}

/** A conversation that was made since the copy is a thread of the user with the most of them. */
async function addThread(memory: MemoryStorage, id: string, { userId }: Fixture): Promise<string> {
  const createdAt = new Date();
  await memory.saveThread({ thread: { id, resourceId: userId, title: '', createdAt, updatedAt: createdAt } });
  return userId;
}

/** The storage of Mastra's memory: without tenants, keys of idempotency, counters and sequence numbers. */
export const open: OpenSide = async (database, fixture) => {
  const { store, memory } = await openStore(database);
  const users = await copy(memory, database, fixture);
  const newest = { field: 'createdAt', direction: 'DESC' } as const;
  return {
    append: async ({ id, content, conversationId }) => {
      const message = messageOf({ id, content }, conversationId, users.get(conversationId) ?? '', new Date());
      return memory.saveMessages({ messages: [message] });
    },
    // As the memory of an agent reads them: without their number, and turned round.
    last50: async (threadId) => {
      const page = { threadId, page: 0, perPage: 50, orderBy: newest, includeTotal: false };
      return (await memory.listMessages(page)).messages.toReversed();
    },
    byId: async (id) => memory.listMessagesById({ messageIds: [id] }),
    list: async () =>
      memory.listThreads({ filter: { resourceId: fixture.userId }, page: 0, perPage: 20, orderBy: newest }),
    bulk: async (added) => {
      const [first] = added;
      if (!first) return;
      const { conversationId: threadId } = first;
      const user = users.get(threadId) ?? (await addThread(memory, threadId, fixture));
      const now = Date.now();
      const messages = added.map((message, index) => messageOf(message, threadId, user, new Date(now + index)));
      await memory.saveMessages({ messages });
    },
    close: async () => store.close?.(),
  };
};
