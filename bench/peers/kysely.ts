import { type Dialect, Kysely, PostgresDialect, sql, SqliteDialect } from 'kysely';
import type { BenchDatabase, NewMessage, OpenSide } from '../side.js';
import { openPool, openSqlite } from './connections.js';
import { appendOnce, noConversation, noTenant, rowChunks, rowOf, tokensOf } from './writing.js';

/** Milliseconds in SQLite, whose driver binds no `Date`. */
type Instant = number | Date;
/** The driver of PostgreSQL gives a bigint as text. */
type Count = number | string;

interface Tables {
  tenants: { id: string; status: string };
  conversations: {
    tenant_id: string;
    id: string;
    created_at: Instant;
    updated_at: Instant;
    user_id: string;
    external_id: string | null;
    title: string | null;
    summary: string | null;
    metadata: unknown;
    message_count: Count;
    token_count: Count;
    last_message_at: Instant | null;
    status: string;
    version: Count;
  };
  messages: {
    tenant_id: string;
    id: string;
    created_at: Instant;
    updated_at: Instant;
    conversation_id: string;
    seq: Count;
    role: string;
    content: string;
    parts?: unknown;
    modality: string;
    token_count: Count;
    references?: unknown;
    metadata?: unknown;
    idempotency_key: string | null;
  };
}

type Queries = Kysely<Tables>;

/** The dialect of an engine, and the moment as its driver binds it. */
function engineOf(database: BenchDatabase): { dialect: Dialect; bind: (instant: Date) => Instant } {
  return database.engine === 'sqlite'
    ? { dialect: new SqliteDialect({ database: openSqlite(database) }), bind: (instant) => instant.getTime() }
    : { dialect: new PostgresDialect({ pool: openPool(database) }), bind: (instant) => instant };
}

function columnsOf(row: ReturnType<typeof rowOf>, now: Instant): Tables['messages'] {
  return {
    tenant_id: row.tenantId,
    id: row.id,
    created_at: now,
    updated_at: now,
    conversation_id: row.conversationId,
    seq: row.seq,
    role: row.role,
    content: row.content,
    modality: row.modality,
    token_count: row.tokenCount,
    idempotency_key: row.idempotencyKey,
  };
}

async function assertTenant(db: Queries, id: string): Promise<void> {
  const active = db.selectFrom('tenants').select('id').where('id', '=', id).where('status', '=', 'active');
  if (!(await active.executeTakeFirst())) throw noTenant(id);
}

/** Locks the conversation, counts messages that are about to be written, and gives how many there are with them. */
async function raise(
  db: Queries,
  { tenantId, conversationId }: NewMessage,
  count: number,
  tokens: number,
  now: Instant,
): Promise<number> {
  const raised = await db
    .updateTable('conversations')
    .set({
      message_count: sql<Count>`message_count + ${count}`,
      token_count: sql<Count>`token_count + ${tokens}`,
      last_message_at: now,
      updated_at: now,
    })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', conversationId)
    .where('status', '=', 'active')
    .returning('message_count')
    .executeTakeFirst();
  if (!raised) throw noConversation(conversationId);
  return Number(raised.message_count);
}

const findByKey = async (db: Queries, { tenantId, idempotencyKey }: NewMessage) =>
  db
    .selectFrom('messages')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst();

/** Kysely on better-sqlite3 or on a pool of `pg`. */
export const open: OpenSide = async (database, { tenantId, userId }) => {
  const { dialect, bind } = engineOf(database);
  const db = new Kysely<Tables>({ dialect });

  const append = async (tx: Queries, message: NewMessage) => {
    await assertTenant(tx, message.tenantId);
    const first = await findByKey(tx, message);
    if (first) return first;
    const now = new Date();
    const seq = await raise(tx, message, 1, message.tokenCount, bind(now));
    const row = columnsOf(rowOf(message, seq, now), bind(now));
    await tx.insertInto('messages').values(row).execute();
    return row;
  };
  const bulk = async (tx: Queries, added: readonly NewMessage[]): Promise<void> => {
    const [first] = added;
    if (!first) return;
    const now = new Date();
    await assertTenant(tx, first.tenantId);
    const last = (await raise(tx, first, added.length, tokensOf(added), bind(now))) - added.length;
    for (const rows of rowChunks(added, last, now)) {
      await tx
        .insertInto('messages')
        .values(rows.map((row) => columnsOf(row, bind(now))))
        .execute();
    }
  };
  const ofTenant = () => db.selectFrom('messages').selectAll().where('tenant_id', '=', tenantId);

  return {
    append: async (message) =>
      appendOnce(
        async () => db.transaction().execute(async (tx) => append(tx, message)),
        async () => findByKey(db, message),
      ),
    last50: async (conversationId) => {
      const newest = ofTenant().where('conversation_id', '=', conversationId).orderBy('seq', 'desc').limit(50);
      return (await newest.execute()).toReversed();
    },
    byId: async (id) => ofTenant().where('id', '=', id).executeTakeFirst(),
    list: async () =>
      db
        .selectFrom('conversations')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .where('user_id', '=', userId)
        .orderBy('id', 'desc')
        .limit(21)
        .execute(),
    bulk: async (added) => db.transaction().execute(async (tx) => bulk(tx, added)),
    close: async () => db.destroy(),
  };
};
