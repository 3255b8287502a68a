import { Pool } from 'pg';
import type { BenchDatabase, Fixture, Side } from '../side.js';
import { INSERTED, reads } from './reads.js';

/** One statement that looks at the tenant and the key, locks and raises the conversation, and inserts the message. */
const APPEND = `
  with conversation as (
    update conversations set message_count = message_count + 1, token_count = token_count + $6, last_message_at = $5, updated_at = $5
     where tenant_id = $1 and id = $3 and status = 'active'
       and exists (select from tenants where id = $1 and status = 'active')
       and not exists (select from messages where tenant_id = $1 and idempotency_key = $7)
    returning message_count
  )
  insert into messages (${INSERTED})
  select $1, $2, $5, $5, $3, message_count, 'user', $4, 'text', $6, $7 from conversation returning seq`;

/** All rows by one statement, with a list for each column that differs. */
const BULK = `
  insert into messages (${INSERTED})
  select $1, id, $2, $2, $3, seq, 'user', content, 'text', tokens, key
    from unnest($4::uuid[], $5::bigint[], $6::text[], $7::bigint[], $8::text[]) as given (id, seq, content, tokens, key)`;

/** `pg` with named statements, and a pool of as many connections as callers can use. */
export async function openRawPostgreSql({ address, callers }: BenchDatabase, fixture: Fixture): Promise<Side> {
  const pool = new Pool({ connectionString: address, max: callers });
  const { tenantId, userId } = fixture;
  const sql = ((next) => reads(next))(numbered());
  const run = async (name: string, text: string, values: unknown[]) => (await pool.query({ name, text, values })).rows;
  return {
    append: async ({ id, conversationId, content, tokenCount, idempotencyKey }) =>
      run('append', APPEND, [tenantId, id, conversationId, content, new Date(), tokenCount, idempotencyKey]),
    last50: async (conversationId) => (await run('last50', sql.last50, [tenantId, conversationId])).toReversed(),
    byId: async (id) => run('by_id', sql.byId, [tenantId, id]),
    list: async () => run('list', sql.list, [tenantId, userId]),
    bulk: async (messages) => {
      const lists = [
        messages.map(({ id }) => id),
        messages.map((_message, index) => index + 1),
        messages.map(({ content }) => content),
        messages.map(({ tokenCount }) => tokenCount),
        messages.map(({ idempotencyKey }) => idempotencyKey),
      ];
      await run('bulk', BULK, [tenantId, new Date(), messages[0]?.conversationId, ...lists]);
    },
    close: async () => pool.end(),
  };
}

/** $1 and $2 in turn: each of the reads has two. */
function numbered(): () => string {
  let count = 0;
  return () => `$${String((count++ % 2) + 1)}`;
}
