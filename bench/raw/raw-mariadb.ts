import { createPool, type PoolConnection, type RowDataPacket } from 'mysql2/promise';
import { type RawStore, reads } from './raw-store.js';

const ADVANCE = `
  update conversations set message_count = last_insert_id(message_count + 1), token_count = token_count + ?, last_message_at = ?, updated_at = ?
   where tenant_id = ? and id = ? and status = 'active'`;
const INSERT = `
  insert into messages (tenant_id, id, created_at, updated_at, conversation_id, seq, role, content, modality, token_count, idempotency_key)
  values (?, ?, ?, ?, ?, ?, 'user', ?, 'text', ?, ?)`;

/** `mysql2` with prepared statements, and a pool of as many connections as callers can use. */
export function openRawMariaDb(url: string, connections: number): RawStore {
  const pool = createPool({
    uri: url.replace(/^mariadb:/, 'mysql:').replace(/\?.*$/, ''),
    connectionLimit: connections,
  });
  const sql = reads(() => '?');
  const rows = async (text: string, values: string[]) => (await pool.execute<RowDataPacket[]>(text, values))[0];
  const within = async (work: (connection: PoolConnection) => Promise<void>): Promise<void> => {
    const connection = await pool.getConnection();
    try {
      await connection.query('begin');
      await work(connection);
      await connection.query('commit');
    } finally {
      connection.release();
    }
  };
  return {
    append: async ({ tenantId, id, conversationId, content, tokenCount, idempotencyKey }) =>
      within(async (connection) => {
        const look = `select exists (select 1 from tenants where id = ? and status = 'active') as active,
                             exists (select 1 from messages where tenant_id = ? and idempotency_key = ?) as present`;
        await connection.execute(look, [tenantId, tenantId, idempotencyKey]);
        const now = new Date();
        const [{ insertId }] = (await connection.execute(ADVANCE, [
          tokenCount,
          now,
          now,
          tenantId,
          conversationId,
        ])) as [{ insertId: number }, unknown];
        const values = [tenantId, id, now, now, conversationId, insertId, content, tokenCount, idempotencyKey];
        await connection.execute(INSERT, values);
      }),
    last50: async (tenantId, id) => (await rows(sql.last50, [tenantId, id])).toReversed(),
    byId: async (tenantId, id) => rows(sql.byId, [tenantId, id]),
    list: async (tenantId, userId) => rows(sql.list, [tenantId, userId]),
    close: async () => pool.end(),
  };
}
