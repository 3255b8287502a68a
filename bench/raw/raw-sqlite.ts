import Database from 'better-sqlite3';
import { type BenchDatabase, type Fixture, type NewMessage, type Side } from '../side.js';
import { INSERTED, messageValues, reads } from './reads.js';

/** better-sqlite3 with cached statements, on the file that Colloquy has open too. */
export async function openRawSqlite({ address, durable }: BenchDatabase, fixture: Fixture): Promise<Side> {
  const database = new Database(address);
  database.pragma('journal_mode = wal');
  database.pragma(`synchronous = ${durable ? 'full' : 'normal'}`);
  database.pragma('foreign_keys = on');
  database.pragma('cache_size = -16384');
  database.pragma('wal_autocheckpoint = 4000');
  const { tenantId, userId } = fixture;
  const active = database.prepare("select 1 from tenants where id = ? and status = 'active'");
  const first = database.prepare('select * from messages where tenant_id = ? and idempotency_key = ?');
  const advance = database.prepare(
    `update conversations set message_count = message_count + 1, token_count = token_count + ?, last_message_at = ?, updated_at = ?
      where tenant_id = ? and id = ? and status = 'active' returning message_count as seq`,
  );
  const insert = database.prepare(`insert into messages (${INSERTED}) values (${messageValues(() => '?')})`);
  const run = (message: NewMessage, seq: number, now: number): void => {
    const { id, conversationId, content, tokenCount, idempotencyKey } = message;
    insert.run(tenantId, id, now, now, conversationId, seq, 'user', content, 'text', tokenCount, idempotencyKey);
  };
  const append = database.transaction((message: NewMessage) => {
    if (!active.get(tenantId)) throw new Error('no such tenant');
    if (first.get(tenantId, message.idempotencyKey)) return;
    const now = Date.now();
    const { seq } = advance.get(message.tokenCount, now, now, tenantId, message.conversationId) as { seq: number };
    run(message, seq, now);
  });
  const bulk = database.transaction((messages: readonly NewMessage[]) => {
    const now = Date.now();
    for (const [index, message] of messages.entries()) run(message, index + 1, now);
  });
  const sql = reads(() => '?');
  const [last50, byId, list] = [database.prepare(sql.last50), database.prepare(sql.byId), database.prepare(sql.list)];
  return {
    append: (message) => append.immediate(message),
    last50: (conversationId) => last50.all(tenantId, conversationId).toReversed(),
    byId: (id) => byId.get(tenantId, id),
    list: () => list.all(tenantId, userId),
    bulk: (messages) => bulk.immediate(messages),
    close: async () => void database.close(),
  };
}
