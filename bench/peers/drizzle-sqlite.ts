import type Database from 'better-sqlite3';
import { and, desc, eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { type BaseSQLiteDatabase, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { NewMessage, OpenSide } from '../side.js';
import { openSqlite } from './connections.js';
import { noConversation, noTenant, rowChunks, rowOf, tokensOf } from './writing.js';

const instant = (name: string) => integer(name, { mode: 'timestamp_ms' });
const json = (name: string) => text(name, { mode: 'json' });

const tenants = sqliteTable('tenants', { id: text('id').primaryKey(), status: text('status').notNull() });

const conversations = sqliteTable(
  'conversations',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    userId: text('user_id').notNull(),
    externalId: text('external_id'),
    title: text('title'),
    summary: text('summary'),
    metadata: json('metadata').notNull(),
    messageCount: integer('message_count').notNull(),
    tokenCount: integer('token_count').notNull(),
    lastMessageAt: instant('last_message_at'),
    status: text('status').notNull(),
    version: integer('version').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
);

const messages = sqliteTable(
  'messages',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    conversationId: text('conversation_id').notNull(),
    seq: integer('seq').notNull(),
    role: text('role').notNull(),
    content: text('content').notNull(),
    parts: json('parts'),
    modality: text('modality').notNull(),
    tokenCount: integer('token_count').notNull(),
    references: json('references'),
    metadata: json('metadata'),
    idempotencyKey: text('idempotency_key'),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
);

type Queries = BaseSQLiteDatabase<'sync', Database.RunResult>;

function assertTenant(db: Queries, id: string): void {
  const active = and(eq(tenants.id, id), eq(tenants.status, 'active'));
  if (!db.select({ id: tenants.id }).from(tenants).where(active).get()) throw noTenant(id);
}

/** Counts messages that are about to be written, and gives how many there are with them. */
function raise(
  db: Queries,
  { tenantId, conversationId }: NewMessage,
  count: number,
  tokens: number,
  now: Date,
): number {
  const { messageCount, tokenCount } = conversations;
  const raised = db
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
    .returning({ messageCount })
    .get();
  if (!raised) throw noConversation(conversationId);
  return raised.messageCount;
}

function append(db: Queries, message: NewMessage) {
  const { tenantId, idempotencyKey } = message;
  assertTenant(db, tenantId);
  const byKey = and(eq(messages.tenantId, tenantId), eq(messages.idempotencyKey, idempotencyKey));
  const first = db.select().from(messages).where(byKey).get();
  if (first) return first;
  const now = new Date();
  const row = rowOf(message, raise(db, message, 1, message.tokenCount, now), now);
  db.insert(messages).values(row).run();
  return row;
}

function bulk(db: Queries, added: readonly NewMessage[]): void {
  const [first] = added;
  if (!first) return;
  const now = new Date();
  assertTenant(db, first.tenantId);
  const last = raise(db, first, added.length, tokensOf(added), now) - added.length;
  for (const rows of rowChunks(added, last, now)) db.insert(messages).values(rows).run();
}

/** Drizzle on better-sqlite3, where all it does is synchronous. */
export const open: OpenSide = async (database, { tenantId, userId }) => {
  const client = openSqlite(database);
  const db = drizzle({ client });
  const ofTenant = () => eq(messages.tenantId, tenantId);
  return {
    append: (message) => db.transaction((tx) => append(tx, message), { behavior: 'immediate' }),
    last50: (conversationId) =>
      db
        .select()
        .from(messages)
        .where(and(ofTenant(), eq(messages.conversationId, conversationId)))
        .orderBy(desc(messages.seq))
        .limit(50)
        .all()
        .toReversed(),
    byId: (id) =>
      db
        .select()
        .from(messages)
        .where(and(ofTenant(), eq(messages.id, id)))
        .get(),
    list: () =>
      db
        .select()
        .from(conversations)
        .where(and(eq(conversations.tenantId, tenantId), eq(conversations.userId, userId)))
        .orderBy(desc(conversations.id))
        .limit(21)
        .all(),
    bulk: (added) => db.transaction((tx) => bulk(tx, added), { behavior: 'immediate' }),
    close: async () => void client.close(),
  };
};
