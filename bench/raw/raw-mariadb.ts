import { createPool, type PoolConnection, type RowDataPacket } from 'mysql2/promise';
import type { BenchDatabase, Fixture, Side } from '../side.js';
import { INSERTED, messageValues, reads } from './reads.js';

const LOOK = `
  select exists (select 1 from tenants where id = ? and status = 'active') as active,
         exists (select 1 from messages where tenant_id = ? and idempotency_key = ?) as present`;
const ADVANCE = `
  update conversations set message_count = last_insert_id(message_count + 1), token_count = token_count + ?, last_message_at = ?, updated_at = ?
   where tenant_id = ? and id = ? and status = 'active'`;
const TUPLE = `(${messageValues(() => '?')})`;
const INSERT = `insert into messages (${INSERTED}) values `;
/** Rows of one statement of many. */
const ROWS = 1_000;

/** `mysql2` with prepared statements, and a pool of as many connections as callers can use. */
export async function openRawMariaDb({ address, callers }: BenchDatabase, fixture: Fixture): Promise<Side> {
  const uri = address.replace(/^mariadb:/, 'mysql:').replace(/\?.*$/, '');
  const pool = createPool({ uri, connectionLimit: callers });
  const { tenantId, userId } = fixture;
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
    append: async ({ id, conversationId, content, tokenCount, idempotencyKey }) =>
      within(async (connection) => {
        await connection.execute(LOOK, [tenantId, tenantId, idempotencyKey]);
        const now = new Date();
        const advanced = await connection.execute(ADVANCE, [tokenCount, now, now, tenantId, conversationId]);
        const [{ insertId: seq }] = advanced as [{ insertId: number }, unknown];
        const values = [
          tenantId,
          id,
          now,
          now,
          conversationId,
          seq,
          'user',
          content,
          'text',
          tokenCount,
          idempotencyKey,
        ];
        await connection.execute(INSERT + TUPLE, values);
      }),
    last50: async (conversationId) => (await rows(sql.last50, [tenantId, conversationId])).toReversed(),
    byId: async (id) => rows(sql.byId, [tenantId, id]),
    list: async () => rows(sql.list, [tenantId, userId]),
    bulk: async (messages) =>
      within(async (connection) => {
        const now = new Date();
        for (let first = 0; first < messages.length; first += ROWS) {
          const part = messages.slice(first, first + ROWS);
          const values = part.flatMap(({ id, conversationId, content, tokenCount, idempotencyKey }, index) => {
            const place = [tenantId, id, now, now, conversationId, first + index + 1];
            return [...place, 'user', content, 'text', tokenCount, idempotencyKey];
          });
          await connection.query(INSERT + part.map(() => TUPLE).join(', '), values);
        }
      }),
    close: async () => pool.end(),
  };
}
