import Database from 'better-sqlite3';
import { type RawStore, reads } from './raw-store.js';

/** better-sqlite3 with cached statements, on the file that Colloquy has open too. */
export function openRawSqlite(path: string, durable: boolean): RawStore {
  const database = new Database(path);
  database.pragma('journal_mode = wal');
  database.pragma(`synchronous = ${durable ? 'full' : 'normal'}`);
  database.pragma('foreign_keys = on');
  const active = database.prepare("select 1 from tenants where id = ? and status = 'active'");
  const first = database.prepare('select * from messages where tenant_id = ? and idempotency_key = ?');
  const advance = database.prepare(
    `update conversations set message_count = message_count + 1, token_count = token_count + ?, last_message_at = ?, updated_at = ?
      where tenant_id = ? and id = ? and status = 'active' returning message_count as seq`,
  );
  const insert = database.prepare(
    `insert into messages (tenant_id, id, created_at, updated_at, conversation_id, seq, role, content, modality, token_count, idempotency_key)
     values (?, ?, ?, ?, ?, ?, 'user', ?, 'text', ?, ?)`,
  );
  const append = database.transaction<RawStore['append']>((message) => {
    const { tenantId, conversationId, idempotencyKey } = message;
    if (!active.get(tenantId)) throw new Error('no such tenant');
    if (first.get(tenantId, idempotencyKey)) return;
    const now = Date.now();
    const { seq } = advance.get(message.tokenCount, now, now, tenantId, conversationId) as { seq: number };
    insert.run(
      tenantId,
      message.id,
      now,
      now,
      conversationId,
      seq,
      message.content,
      message.tokenCount,
      idempotencyKey,
    );
  });
  const sql = reads(() => '?');
  const [last50, byId, list] = [database.prepare(sql.last50), database.prepare(sql.byId), database.prepare(sql.list)];
  return {
    append: (message) => append.immediate(message),
    last50: (tenantId, conversationId) => last50.all(tenantId, conversationId).toReversed(),
    byId: (tenantId, id) => byId.get(tenantId, id),
    list: (tenantId, userId) => list.all(tenantId, userId),
    close: async () => void database.close(),
  };
}
