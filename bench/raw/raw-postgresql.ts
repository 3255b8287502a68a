import { Pool } from 'pg';
import { type RawStore, reads } from './raw-store.js';

/** One statement that looks at the tenant and the key, locks and raises the conversation, and inserts the message. */
const APPEND = `
  with conversation as (
    update conversations set message_count = message_count + 1, token_count = token_count + $6, last_message_at = $5, updated_at = $5
     where tenant_id = $1 and id = $3 and status = 'active'
       and exists (select from tenants where id = $1 and status = 'active')
       and not exists (select from messages where tenant_id = $1 and idempotency_key = $7)
    returning message_count
  )
  insert into messages (tenant_id, id, created_at, updated_at, conversation_id, seq, role, content, modality, token_count, idempotency_key)
  select $1, $2, $5, $5, $3, message_count, 'user', $4, 'text', $6, $7 from conversation returning seq`;

/** `pg` with named statements, and a pool of as many connections as callers can use. */
export function openRawPostgreSql(url: string, connections: number): RawStore {
  const pool = new Pool({ connectionString: url, max: connections });
  const sql = ((next) => reads(next))(numbered());
  const run = async (name: string, text: string, values: unknown[]) => (await pool.query({ name, text, values })).rows;
  return {
    append: async ({ tenantId, id, conversationId, content, tokenCount, idempotencyKey }) =>
      run('append', APPEND, [tenantId, id, conversationId, content, new Date(), tokenCount, idempotencyKey]),
    last50: async (tenantId, id) => (await run('last50', sql.last50, [tenantId, id])).toReversed(),
    byId: async (tenantId, id) => run('by_id', sql.byId, [tenantId, id]),
    list: async (tenantId, userId) => run('list', sql.list, [tenantId, userId]),
    close: async () => pool.end(),
  };
}

/** $1 and $2 in turn: each of the reads has two. */
function numbered(): () => string {
  let count = 0;
  return () => `$${String((count++ % 2) + 1)}`;
}
