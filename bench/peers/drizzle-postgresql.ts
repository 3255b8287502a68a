import { and, desc, eq, sql } from 'drizzle-orm';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { bigint, json, pgTable, primaryKey, text, timestamp, uuid, varchar } from 'drizzle-orm/pg-core';
import type { NewMessage, OpenSide } from '../side.js';
import { openPool } from './connections.js';
import { appendOnce, noConversation, noTenant, rowChunks, rowOf, tokensOf } from './writing.js';

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
const bigCount = (name: string) => bigint(name, { mode: 'number' });

const tenants = pgTable('tenants', { id: uuid('id').primaryKey(), status: text('status').notNull() });

const conversations = pgTable(
  'conversations',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid('id').notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    userId: uuid('user_id').notNull(),
    externalId: varchar('external_id', { length: 255 }),
    title: varchar('title', { length: 500 }),
    summary: text('summary'),
    metadata: json('metadata').notNull(),
    messageCount: bigCount('message_count').notNull(),
    tokenCount: bigCount('token_count').notNull(),
    lastMessageAt: instant('last_message_at'),
    status: text('status').notNull(),
    version: bigCount('version').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
);

const messages = pgTable(
  'messages',
  {
    tenantId: uuid('tenant_id').notNull(),
    id: uuid('id').notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    conversationId: uuid('conversation_id').notNull(),
    seq: bigCount('seq').notNull(),
    role: text('role').notNull(),
    content: text('content').notNull(),
    parts: json('parts'),
    modality: text('modality').notNull(),
    tokenCount: bigCount('token_count').notNull(),
    references: json('references'),
    metadata: json('metadata'),
    idempotencyKey: varchar('idempotency_key', { length: 255 }),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
);

type Queries = Pick<NodePgDatabase, 'select' | 'insert' | 'update'>;

async function assertTenant(db: Queries, id: string): Promise<void> {
  const active = and(eq(tenants.id, id), eq(tenants.status, 'active'));
  const [tenant] = await db.select({ id: tenants.id }).from(tenants).where(active);
  if (!tenant) throw noTenant(id);
}

/** Locks the conversation, counts messages that are about to be written, and gives how many there are with them. */
async function raise(db: Queries, { tenantId, conversationId }: NewMessage, count: number, tokens: number, now: Date) {
  const { messageCount, tokenCount } = conversations;
  const [raised] = await db
    .update(conversations)
    .set({
      messageCount: sql`${messageCount} + ${count}`,
      tokenCount: sql`${tokenCount} + ${tokens}`,
      lastMessageAt: now,
      updatedAt: now,
    })
    .where(
      and(
        eq(conversations.tenantId, tenantId),
        eq(conversations.id, conversationId),
        eq(conversations.status, 'active'),
      ),
    )
    .returning({ messageCount });
  if (!raised) throw noConversation(conversationId);
  return raised.messageCount;
}

async function findByKey(db: Queries, { tenantId, idempotencyKey }: NewMessage) {
  const byKey = and(eq(messages.tenantId, tenantId), eq(messages.idempotencyKey, idempotencyKey));
  const [first] = await db.select().from(messages).where(byKey);
  return first;
}

async function append(db: Queries, message: NewMessage) {
  await assertTenant(db, message.tenantId);
  const first = await findByKey(db, message);
  if (first) return first;
  const now = new Date();
  const row = rowOf(message, await raise(db, message, 1, message.tokenCount, now), now);
  await db.insert(messages).values(row);
  return row;
}

async function bulk(db: Queries, added: readonly NewMessage[]): Promise<void> {
  const [first] = added;
  if (!first) return;
  const now = new Date();
  await assertTenant(db, first.tenantId);
  const last = (await raise(db, first, added.length, tokensOf(added), now)) - added.length;
  for (const rows of rowChunks(added, last, now)) await db.insert(messages).values(rows);
}

/** Drizzle on a pool of `pg`. */
export const open: OpenSide = async (database, { tenantId, userId }) => {
  const client = openPool(database);
  const db = drizzle({ client });
  const ofTenant = () => eq(messages.tenantId, tenantId);
  return {
    append: async (message) =>
      appendOnce<unknown>(
        async () => db.transaction(async (tx) => append(tx, message)),
        async () => findByKey(db, message),
      ),
    last50: async (conversationId) => {
      const rows = await db
        .select()
        .from(messages)
        .where(and(ofTenant(), eq(messages.conversationId, conversationId)))
        .orderBy(desc(messages.seq))
        .limit(50);
      return rows.toReversed();
    },
    byId: async (id) => {
      const [message] = await db
        .select()
        .from(messages)
        .where(and(ofTenant(), eq(messages.id, id)));
      return message;
    },
    list: async () =>
      db
        .select()
        .from(conversations)
        .where(and(eq(conversations.tenantId, tenantId), eq(conversations.userId, userId)))
        .orderBy(desc(conversations.id))
        .limit(21),
    bulk: async (added) => db.transaction(async (tx) => bulk(tx, added)),
    close: async () => client.end(),
  };
};
